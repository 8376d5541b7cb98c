"""The port of the object store: what every store promises. A directory and any S3 server keep it."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from appliance.domain.errors import StoreUnavailable
from appliance.objectstore.reader import ObjectReader

MAX_KEY_CHARS = 512
MAX_METADATA_BYTES = 1792  # S3 allows 2048; rclone counts some 230 bytes of standard headers as well
METADATA_PREFIX = "x-amz-meta-"  # counted with each name, because some servers do
_KEY = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_NAME = re.compile(r"[a-z0-9-]+")
_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """One line of a listing. `modified_s` is when the object was put, in unix seconds."""

    key: str
    bytes: int
    modified_s: float


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """Everything a store knows about one object. `metadata` has lower-case names, without S3's prefix."""

    key: str
    bytes: int
    modified_s: float
    media_type: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class StoreNotCreated(StoreUnavailable):
    """The store answers, but it has no bucket or folder for us yet. `start` creates it."""


class ObjectStore(Protocol):
    """Keeps whole, immutable objects under keys. Tasks may share one.

    A key is 1 to 512 characters: names of `A-Z a-z 0-9 . _ -`, separated by single slashes, none of them `.` or `..`.
    Every fault of the store is `StoreUnavailable`, with a detail that says what to look at. A caller's mistake (a key,
    range or metadata that can't be) is `ValueError`. When a call ends, even by an error or a cancellation, none of its
    work continues in the background.
    """

    @property
    def name(self) -> str:
        """The kind of store, for logs and metrics."""

    @property
    def max_object_bytes(self) -> int:
        """The size of the largest object that `put` accepts, in bytes."""

    async def start(self) -> None:
        """Make the store ready: create the bucket or folders where they are missing. May be called again after a fault.

        Only the owner of the data directory calls this, because the first call removes what a crash left half-written;
        later calls leave transfers in progress alone.

        Raises StoreUnavailable.
        """

    async def put(self, key: str, path: Path, *, media_type: str, metadata: Mapping[str, str]) -> None:
        """Store the file at `path`, replacing any object under the key.

        The object is durable on return. Readers see it whole or not at all. The file must never change afterwards,
        because a store may share its blocks. `metadata` is printable ASCII, at most 1792 bytes with its names. A put
        that ends early may leave parts that no reader sees: the next put of the same file continues from them, and
        `delete` removes them.

        Raises StoreUnavailable; ValueError; OSError where `path` can't be read.
        """

    async def put_range(self, key: str, path: Path, start: int, length: int, *, media_type: str) -> None:
        """Store `length` bytes of the file at `path` from byte `start`, without metadata, as `put` does.

        The rest of the file may change meanwhile. Raises StoreUnavailable; ValueError; OSError where the file can't be
        read, or ends before.
        """

    async def put_bytes(self, key: str, data: bytes, *, media_type: str) -> None:
        """Store a small object without metadata, as `put` does. Raises StoreUnavailable; ValueError."""

    async def fetch(self, key: str, to: Path) -> None:
        """Copy the object to the local file `to`, which appears whole or not at all.

        Nobody may write to the file afterwards: it may share its blocks with the store.

        Raises ObjectMissing; StoreUnavailable; ValueError; OSError where `to` can't be written.
        """

    async def open(self, key: str, start: int = 0, length: int | None = None) -> ObjectReader:
        """Read `length` bytes of the object from byte `start`, or up to its end, in bounded memory. Close the reader.

        A range that goes beyond the end is cut there. A range from byte 0 of an empty object is empty.

        Raises ObjectMissing; StoreUnavailable, while reading too; ValueError for a range that can't hold a byte.
        """

    async def stat(self, key: str) -> ObjectInfo:
        """The object's size, time, media type and metadata. Raises ObjectMissing; StoreUnavailable; ValueError."""

    async def delete(self, key: str) -> None:
        """Remove the object, and parts of one. An absent object is fine. Raises StoreUnavailable; ValueError."""

    def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectEntry]:
        """Iterate over the objects whose keys start with `prefix` and sort after the key `after`, in key order.

        Keys that `put` would refuse are left out: other programs put them there, such as a console that marks a folder
        with an empty object `tombstones/`. A listing may miss objects while a store restarts, so never conclude from
        one that an object is gone.

        Raises StoreUnavailable, between entries too.
        """

    async def check(self) -> None:
        """Check cheaply that the store would serve. Raises StoreNotCreated before `start` made it; StoreUnavailable."""

    async def close(self) -> None:
        """Wait for calls in progress and release threads and connections."""


def is_key(key: str) -> bool:
    """Whether every store can hold this key, and the key leads nowhere else."""
    return len(key) <= MAX_KEY_CHARS and bool(_KEY.fullmatch(key)) and not {".", ".."} & set(key.split("/"))


def checked_key(key: str) -> str:
    """The key itself. Raises ValueError where it is none (see `is_key`)."""
    if not is_key(key):
        raise ValueError(f"not an object key: {key[:100]!r}")
    return key


def metadata_bytes(metadata: Mapping[str, str]) -> int:
    """How many bytes the metadata counts towards the limit."""
    return sum(len(METADATA_PREFIX) + len(name) + len(value) for name, value in metadata.items())


def checked_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """A copy of metadata that every store can hold. Raises ValueError."""
    for name, value in metadata.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"metadata {name!r} is not printable ASCII: {value[:100]!r}")
    if metadata_bytes(metadata) > MAX_METADATA_BYTES:
        raise ValueError(f"metadata has {metadata_bytes(metadata)} bytes; {MAX_METADATA_BYTES} is the limit")
    return dict(metadata)


def check_range(start: int, length: int | None) -> None:
    """Raises ValueError unless the range can hold a byte."""
    if start < 0 or (length is not None and length < 1):
        raise ValueError(f"not a range of bytes: start {start}, length {length}")
