"""The image as every layer knows it. Times are unix seconds (UTC), sizes bytes and pixels."""

from dataclasses import dataclass
from enum import StrEnum

from appliance.renditions import Facts, Format


class Location(StrEnum):
    """Where the original's authoritative bytes are."""

    SPOOL = "spool"
    STORE = "store"


class Ending(StrEnum):
    """Why an image is no longer shown."""

    EXPIRED = "expired"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an uploader asked for beside the bytes. `expires_in_s` None means the default."""

    filename: str
    title: str | None = None
    alt: str | None = None
    expires_in_s: int | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """One row of the catalogue.

    `width` and `height` are as displayed. `original_only` says in words why no rendition can be made, None when they
    can. `version` counts changes, so that slow work can tell that its row changed. `ended` is set from expiry or
    deletion until the bytes are erased; `erase_after_s` is when that may begin.
    """

    slug: str
    filename: str
    media_type: str
    bytes: int
    sha256: str
    width: int
    height: int
    created_s: int
    expires_s: int
    token_hash: str
    title: str | None = None
    alt: str | None = None
    frames: int = 1
    has_alpha: bool = False
    progressive: bool = False
    memory_bytes: int = 0
    original_only: str | None = None
    location: Location = Location.SPOOL
    version: int = 1
    ended: Ending | None = None
    ended_s: int | None = None
    erase_after_s: int | None = None

    @property
    def state(self) -> str:
        return "ready" if self.original_only is None else "original-only"

    @property
    def animated(self) -> bool:
        return self.facts.animated

    @property
    def facts(self) -> Facts:
        return Facts(
            media_type=self.media_type,
            width=self.width,
            height=self.height,
            frames=self.frames,
            has_alpha=self.has_alpha,
            progressive=self.progressive,
            memory_bytes=self.memory_bytes,
            refusal=self.original_only,
        )

    @property
    def linked_format(self) -> Format:
        """The format our pages link: JPEG wherever it can carry the picture, else WebP."""
        return Format.WEBP if self.has_alpha or self.animated else Format.JPG


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is remembered of an erased image: enough to answer 410."""

    slug: str
    ended: Ending
    ended_s: int


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The first answer to an Idempotency-Key. `fingerprint` is a sha256 over the bytes and fields that came with it."""

    key_hash: str
    slug: str
    fingerprint: str
    created_s: int
