"""Images and albums as every layer knows them. Times are unix seconds (UTC), sizes bytes and pixels."""

from dataclasses import dataclass, field
from enum import StrEnum

from appliance.domain.renditions import Facts, Format


class Location(StrEnum):
    """Where the original is."""

    SPOOL = "spool"
    STORE = "store"


class Ending(StrEnum):
    """Why an image is no longer shown."""

    EXPIRED = "expired"
    DELETED = "deleted"
    UNFINISHED = "unfinished"
    """It never became an image: its resumable upload was cancelled, abandoned or refused."""


class PrivateData(StrEnum):
    """What happened to private data in an original: position, serial numbers, owner's name, maker notes."""

    NONE = "none"
    """None was found."""
    REMOVED = "removed"
    KEPT = "kept"
    """The uploader asked to keep it, or the image is older than the removal of such data."""
    NOT_REMOVABLE = "not-removable"
    """Some may be left: a part of the file can't be read, or not be overwritten in place."""


class ContentCredentials(StrEnum):
    """What happened to content credentials (C2PA) in an original: a signed record of how the image was made."""

    NONE = "none"
    """None were found."""
    REMOVED = "removed"
    KEPT = "kept"
    """There may be some: everything was kept, they can't be removed, or nothing looked for them at the time."""


class KeepMetadata(StrEnum):
    """How much of an original's metadata is kept. What is needed to show the image correctly always is."""

    NOTHING = "false"
    """Only what laws protect: copyright notice, credit line, licence URL, the mark of synthetic media."""
    CREDITS = "credits"
    """That, and dates, the camera and the names of creators."""
    ALL = "true"
    """Everything."""


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What an uploader asks for along with the bytes.

    `filename` is empty while no name is known. `expires_in_s` None means the default. `form_key` is what one form sends
    with each of its files, so that sending the form again uploads nothing twice. `passphrase` becomes a `lock`.
    """

    filename: str = ""
    title: str | None = None
    alt: str | None = None
    expires_in_s: int | None = None
    idempotency_key: str | None = None
    keep_metadata: KeepMetadata = KeepMetadata.NOTHING
    form_key: str | None = None
    passphrase: str | None = field(default=None, repr=False)
    lock: str | None = field(default=None, repr=False)
    one_view: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """One row of the catalogue.

    `facts` is what is known of its pixels; a `refusal` among them makes it an original-only image. `version` counts
    changes, so that slow work can tell that its row changed. `ended` is set from expiry or deletion until the bytes are
    erased; `erase_after_s` is when that may begin. `keep_metadata` is what its uploader asked for, None for an image
    that was uploaded before that was recorded. `access_key` is the id of the key that it was uploaded with, `invite`
    that of the invite by which a guest added it to an album. `lock` is the hash of the passphrase that its viewers
    need. `one_view` says that it may be viewed once; from `viewing_s` on somebody does, whose ticket has the hash
    `viewing`. `node` names the node whose spool has the original, as long as the store doesn't have it.
    """

    slug: str
    filename: str
    facts: Facts
    bytes: int
    sha256: str
    created_s: int
    expires_s: int
    token_hash: str
    title: str | None = None
    alt: str | None = None
    location: Location = Location.SPOOL
    version: int = 1
    ended: Ending | None = None
    ended_s: int | None = None
    erase_after_s: int | None = None
    private_data: PrivateData = PrivateData.KEPT
    content_credentials: ContentCredentials = ContentCredentials.KEPT
    keep_metadata: KeepMetadata | None = None
    access_key: str | None = None
    invite: str | None = None
    lock: str | None = field(default=None, repr=False)
    one_view: bool = False
    viewing: str | None = None
    viewing_s: int | None = None
    node: str | None = None

    @property
    def is_closed(self) -> bool:
        """Whether its link alone doesn't show it."""
        return self.lock is not None or self.one_view

    @property
    def state(self) -> str:
        return "ready" if self.original_only is None else "original-only"

    @property
    def media_type(self) -> str:
        return self.facts.media_type

    @property
    def width(self) -> int:
        """Pixels, as displayed."""
        return self.facts.width

    @property
    def height(self) -> int:
        """Pixels, as displayed."""
        return self.facts.height

    @property
    def frames(self) -> int:
        return self.facts.frames

    @property
    def animated(self) -> bool:
        return self.facts.animated

    @property
    def has_alpha(self) -> bool:
        return self.facts.has_alpha

    @property
    def incomplete(self) -> bool:
        """Whether the file ends before its image does."""
        return self.facts.incomplete

    @property
    def original_only(self) -> str | None:
        """Why no rendition can be made, in words; None if they can."""
        return self.facts.refusal

    @property
    def still(self) -> str | None:
        """Why its animation can't be shown, in words; None if it can, or if there is none."""
        return self.facts.still

    @property
    def linked_format(self) -> Format:
        """The format our pages link: JPEG wherever it can show the image, else WebP."""
        return Format.WEBP if self.has_alpha or self.animated else Format.JPG


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is remembered of an erased image, so that its link answers 410.

    The store has one from the moment of the deletion on. `restorable_until_s` is set as long as the image waits in the
    bin; `version` is then the one that the row got with the deletion, so that a later restoration outweighs it.
    """

    slug: str
    ended: Ending
    ended_s: int
    restorable_until_s: int | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Album:
    """Images under one link, in the order of `images` (slugs). It never makes an image live longer.

    `expires_s` is the expiry that its creator chose, None if it lives as long as its images. `due_s` is when to check
    whether it has ended. `cover` is the slug of the image that its creator chose to stand for it, one of `images`.
    `access_key` is the id of the key that it was created with, `lock` as an image's. An erased album has neither images
    nor texts, and `erase_after_s` is None again.
    """

    slug: str
    images: tuple[str, ...]
    token_hash: str
    created_s: int
    due_s: int
    title: str | None = None
    description: str | None = None
    cover: str | None = None
    expires_s: int | None = None
    version: int = 1
    ended: Ending | None = None
    ended_s: int | None = None
    erase_after_s: int | None = None
    access_key: str | None = None
    lock: str | None = field(default=None, repr=False)

    @property
    def is_closed(self) -> bool:
        """Whether its link alone doesn't show it."""
        return self.lock is not None

    @property
    def erased(self) -> bool:
        return self.ended is not None and self.erase_after_s is None


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The first response to an Idempotency-Key. `fingerprint` is a sha256 over the request's bytes and fields.

    The delete token follows from the key and `secret`, which is empty in records of older releases.
    """

    key_hash: str
    slug: str
    fingerprint: str
    created_s: int
    secret: str = ""
