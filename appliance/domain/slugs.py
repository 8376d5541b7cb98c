"""Slugs: the public names of images, 17 base62 characters that sort by the minute of their minting."""

import secrets
from collections.abc import Callable

ALPHABET = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # in ASCII order, so text order is time order
)
EPOCH_S = 1_767_225_600  # 2026-01-01T00:00:00Z
MINUTE_CHARS = 4  # 62**4 minutes last until 2054
RANDOM_CHARS = 13  # 77 bits: a slug is a capability, not to be guessed
LENGTH = MINUTE_CHARS + RANDOM_CHARS
_MEMBERS = frozenset(ALPHABET)


def mint(now_s: float, draw: Callable[[int], int] = secrets.randbelow) -> str:
    """A new slug for the minute of `now_s` (unix seconds). `draw` gives a random number below its argument."""
    return shard(now_s) + _in_base62(draw(len(ALPHABET) ** RANDOM_CHARS), RANDOM_CHARS)


def shard(now_s: float) -> str:
    """The beginning of every slug of that minute, and the name of its folder in the store."""
    return _in_base62(max(0, int(now_s - EPOCH_S) // 60), MINUTE_CHARS)


def _in_base62(number: int, chars: int) -> str:
    """The last `chars` digits of the number."""
    digits = ""
    for _ in range(chars):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def minted_s(slug: str) -> int:
    """The start of the minute in which the slug was minted, in unix seconds."""
    minute = 0
    for character in slug[:MINUTE_CHARS]:
        minute = minute * len(ALPHABET) + ALPHABET.index(character)
    return EPOCH_S + minute * 60


def is_slug(text: str) -> bool:
    """Whether `text` has the form of a slug; an image need not have it."""
    return len(text) == LENGTH and _MEMBERS.issuperset(text)


def object_key(slug: str) -> str:
    """The key of the image's original in the object store."""
    return f"originals/{slug[:MINUTE_CHARS]}/{slug}"


def sidecar_key(slug: str) -> str:
    """The key of the image's sidecar in the object store."""
    return f"meta/{slug[:MINUTE_CHARS]}/{slug}.json"


def tombstone_key(slug: str) -> str:
    """The key of a deleted image's tombstone in the object store."""
    return f"tombstones/{slug[:MINUTE_CHARS]}/{slug}.json"


def album_key(slug: str) -> str:
    """The key of an album's record in the object store."""
    return f"albums/{slug[:MINUTE_CHARS]}/{slug}.json"
