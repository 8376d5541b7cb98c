"""Delete tokens and idempotency keys: secrets of their owner, of which the host keeps only hashes."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

TOKEN_BYTES = 16  # 128 bits
MIN_KEY_CHARS = 16  # an idempotency key gives access to the delete token, so it must not be guessable
MAX_KEY_CHARS = 255


def generate_token() -> str:
    """A new delete token, 22 URL-safe characters."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def derive_token(secret: str, slug: str) -> str:
    """The delete token that follows from a client's own secret, for that image only."""
    digest = hmac.digest(secret.encode(), b"delete-token:" + slug.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).rstrip(b"=").decode()


def generate_secret() -> str:
    """A secret to combine with an idempotency key, so that guessing a weak key does not reveal the token."""
    return secrets.token_hex(TOKEN_BYTES)


def derive_keyed_token(key: str, slug: str, secret: str) -> str:
    """The delete token of an idempotency key with the `secret` of its record, which is empty in old records."""
    return derive_token(f"{secret}:{key}" if secret else key, slug)


def combine_secrets(secrets_: Sequence[str]) -> str:
    """One secret that follows from several, in their order."""
    digest = hashlib.sha256("joined:{}".format(" ".join(secrets_)).encode()).digest()
    return base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).rstrip(b"=").decode()


def hash_secret(secret: str) -> str:
    """A secret's sha256 in hex, as the catalogue stores it. Secrets have 128 bits, so no salt is needed."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()  # a header may hold any byte


def matches(secret: str, stored_hash: str) -> bool:
    """Whether `secret` is the one whose hash is stored, in constant time."""
    return hmac.compare_digest(hash_secret(secret), stored_hash)
