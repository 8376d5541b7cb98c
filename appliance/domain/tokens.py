"""Delete tokens and idempotency keys: secrets that only their owner keeps; we keep their hashes."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

TOKEN_BYTES = 16  # 128 bits
MIN_KEY_CHARS = 16  # an idempotency key gives the delete token back, so it must not be guessable
MAX_KEY_CHARS = 255


def generate_token() -> str:
    """A new delete token, 22 URL-safe characters."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def derive_token(secret: str, slug: str) -> str:
    """The delete token that a client's own secret opens again, for the same image only."""
    digest = hmac.digest(secret.encode(), b"delete-token:" + slug.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).rstrip(b"=").decode()


def generate_secret() -> str:
    """What the catalogue adds to an idempotency key, so that no weak key tells the token to somebody who guesses it."""
    return secrets.token_hex(TOKEN_BYTES)


def derive_keyed_token(key: str, slug: str, secret: str) -> str:
    """The delete token that an idempotency key opens again with the `secret` of its record (empty in old records)."""
    return derive_token(f"{secret}:{key}" if secret else key, slug)


def combine_secrets(secrets_: Sequence[str]) -> str:
    """The one secret that follows from several, in their order."""
    digest = hashlib.sha256("joined:{}".format(" ".join(secrets_)).encode()).digest()
    return base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).rstrip(b"=").decode()


def hash_secret(secret: str) -> str:
    """What the catalogue stores of a secret: sha256 in hex; the secrets have 128 bits, so no salt is needed."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()  # a header may hold any byte


def matches(secret: str, stored_hash: str) -> bool:
    """Whether `secret` is the one whose hash is stored, in constant time."""
    return hmac.compare_digest(hash_secret(secret), stored_hash)
