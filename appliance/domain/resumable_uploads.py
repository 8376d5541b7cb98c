"""Resumable uploads as every layer knows them. Times are unix seconds (UTC), sizes bytes."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from appliance.domain.model import KeepMetadata, UploadOptions


class UploadKind(StrEnum):
    """What a resumable upload becomes: an image, a part, or an image that is assembled from parts."""

    PLAIN = "plain"
    PARTIAL = "partial"
    FINAL = "final"


class UploadState(StrEnum):
    """The state of a resumable upload. Its offset is never recorded: it is the size of its file."""

    RECEIVING = "receiving"
    DONE = "done"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an upload was refused: the fields of the named error."""

    code: str
    detail: str
    limit: int | None = None
    actual: int | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """One resumable upload. Its id and its delete token are secrets of which only hashes are kept.

    `slug` is None for partial uploads, `length` (bytes) None while it is deferred. `metadata` and `concat` are headers
    of the request that created it, which tus requires in responses. `expires_s` is when it is given up while it is
    being received, and when its row is forgotten after that. `edits` are the last edits that were to be written to its
    file, empty before that: after a crash it is unknown how many of them were. `had_credentials` says that content
    credentials are among what is overwritten. `is_open` says that its client has yet to declare all bytes sent; until
    then it is never complete, not even with `length` bytes. `access_key` is the id of the key that it was created with,
    `invite` the id of the invite. `node` names the node that has its bytes. `sealed_address` is the address that
    created it, sealed (`limits.sealed_addresses`), until it ends.
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
    is_open: bool = False
    access_key: str | None = None
    invite: str | None = None
    lock: str | None = field(default=None, repr=False)
    one_view: bool = False
    node: str | None = None
    sealed_address: bytes | None = field(default=None, repr=False)

    @property
    def is_closed(self) -> bool:
        """Whether the link alone won't show what it becomes."""
        return self.lock is not None or self.one_view

    @property
    def options(self) -> UploadOptions:
        texts = UploadOptions(self.filename, self.title, self.alt, self.expires_in_s)
        return replace(texts, keep_metadata=self.keep_metadata, lock=self.lock, one_view=self.one_view)
