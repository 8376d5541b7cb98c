"""The image as every layer knows it. Times are unix seconds (UTC), sizes bytes and pixels."""

from dataclasses import dataclass
from enum import StrEnum

from appliance.domain.renditions import Facts, Format


class Location(StrEnum):
    """Where the original's authoritative bytes are."""

    SPOOL = "spool"
    STORE = "store"


class Ending(StrEnum):
    """Why an image is no longer shown."""

    EXPIRED = "expired"
    DELETED = "deleted"
    UNFINISHED = "unfinished"
    """It never became an image: its resumable upload was given up, or refused."""


class PrivateData(StrEnum):
    """What became of the private data in an original: position, serial numbers, owner's name, maker notes."""

    NONE = "none"
    """None was found."""
    REMOVED = "removed"
    KEPT = "kept"
    """Its uploader wanted it kept, or it was uploaded before such data was removed."""
    NOT_REMOVABLE = "not-removable"
    """Some may be left: a part of the file can't be looked into, or not be changed where it lies."""


class ContentCredentials(StrEnum):
    """What became of the content credentials (C2PA) in an original: a signed account of how the picture was made."""

    NONE = "none"
    """None were found."""
    REMOVED = "removed"
    KEPT = "kept"
    """Some may be there: everything was to stay, they can't be removed, or nobody looked for them at the time."""


class KeepMetadata(StrEnum):
    """What stays of an original's metadata. What a picture needs to be shown right stays always."""

    NOTHING = "false"
    """Nothing but what laws protect: copyright notice, credit line, licence URL, the mark of synthetic media."""
    CREDITS = "credits"
    """That, and dates, the camera and the names of makers."""
    ALL = "true"
    """Everything that came."""


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What an uploader asks for along with the bytes.

    `filename` is empty while no name is known. `expires_in_s` None means the default.
    """

    filename: str = ""
    title: str | None = None
    alt: str | None = None
    expires_in_s: int | None = None
    idempotency_key: str | None = None
    keep_metadata: KeepMetadata = KeepMetadata.NOTHING


@dataclass(frozen=True, slots=True)
class Image:
    """One row of the catalogue.

    `width` and `height` are as displayed. `original_only` says in words why no rendition can be made, None when they
    can; `still` says in words why its animation turned out not to be readable. `version` counts changes, so that slow
    work can tell that its row changed. `ended` is set from expiry or deletion until the bytes are erased;
    `erase_after_s` is when that may begin. `keep_metadata` is what its uploader asked for, None for an image that was
    uploaded before that was recorded. `incomplete` says that the file ends before its picture does.
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
    still: str | None = None
    location: Location = Location.SPOOL
    version: int = 1
    ended: Ending | None = None
    ended_s: int | None = None
    erase_after_s: int | None = None
    private_data: PrivateData = PrivateData.KEPT
    content_credentials: ContentCredentials = ContentCredentials.KEPT
    keep_metadata: KeepMetadata | None = None
    incomplete: bool = False

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
            still=self.still is not None,
            incomplete=self.incomplete,
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
class Album:
    """Images under one link, in the order of `images` (their slugs). It never makes an image live longer.

    `expires_s` is the end that its maker wished, None when it is to live as long as its images. `due_s` is when to look
    whether it has come to its end. What is left of an erased one has neither images nor title, and `erase_after_s` is
    None again.
    """

    slug: str
    images: tuple[str, ...]
    token_hash: str
    created_s: int
    due_s: int
    title: str | None = None
    expires_s: int | None = None
    version: int = 1
    ended: Ending | None = None
    ended_s: int | None = None
    erase_after_s: int | None = None

    @property
    def erased(self) -> bool:
        return self.ended is not None and self.erase_after_s is None


class UploadKind(StrEnum):
    """What becomes of a resumable upload: an image, or a part of one that is put together from parts."""

    PLAIN = "plain"
    PARTIAL = "partial"
    FINAL = "final"


class UploadState(StrEnum):
    """How far a resumable upload is. The bytes it has are never recorded: the size of its file tells them."""

    RECEIVING = "receiving"
    DONE = "done"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an upload was refused, as the named error that told it first."""

    code: str
    detail: str
    limit: int | None = None
    actual: int | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """One resumable upload. Its id is a secret of which only the hash is kept; so is the delete token.

    `slug` is None for partial uploads, `length` (bytes) None while it is deferred. `metadata` and `concat` are the
    headers that created it, which the protocol has us give back. `expires_s` is when it is given up while it is being
    received, and afterwards when its row is forgotten. `edits` is what was last decided to overwrite in its file, empty
    before that: after a crash nobody knows how much of it was done. `had_credentials` says that content credentials are
    among what is overwritten.
    """

    id_hash: str
    kind: UploadKind
    slug: str | None
    token_hash: str | None
    length: int | None
    filename: str
    title: str | None
    alt: str | None
    expires_in_s: int | None
    metadata: str
    concat: str
    created_s: int
    expires_s: int
    state: UploadState = UploadState.RECEIVING
    refusal: Refusal | None = None
    keep_metadata: KeepMetadata = KeepMetadata.NOTHING
    edits: bytes = b""
    had_credentials: bool = False

    @property
    def options(self) -> UploadOptions:
        return UploadOptions(self.filename, self.title, self.alt, self.expires_in_s, keep_metadata=self.keep_metadata)


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The first answer to an Idempotency-Key. `fingerprint` is a sha256 over the bytes and fields that came with it.

    The delete token follows from the key and `secret`; records of older releases have an empty one.
    """

    key_hash: str
    slug: str
    fingerprint: str
    created_s: int
    secret: str = ""
