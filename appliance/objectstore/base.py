"""The contract of an object store: whole, immutable objects under keys. Two stores keep it: a directory and any S3."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from appliance.objectstore.reader import ObjectReader

MAX_KEY_CHARS = 512
MAX_METADATA_BYTES = 1792  # S3 takes 2048; rclone counts some 230 bytes of standard headers as well
METADATA_PREFIX = "x-amz-meta-"  # counted with each name, for some servers do
_KEY = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_NAME = re.compile(r"[a-z0-9-]+")
_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """One line of a listing. `modified_s` is when it was put, in unix seconds."""

    key: str
    bytes: int
    modified_s: float


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """All that a store knows of one object. `metadata` has lower-case names, without S3's prefix."""

    key: str
    bytes: int
    modified_s: float
    media_type: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class ObjectStore(Protocol):
    """Where originals live. Safe to share between tasks.

    A fault of the store is always `StoreUnavailable`, in words that say what to look at. Mistakes of the caller (a key,
    range or metadata that can't be) are `ValueError`. When a call ends, by an error or a cancellation too, none of its
    work goes on in the background.
    """

    @property
    def name(self) -> str:
        """Which kind of store this is, for logs and metrics."""

    @property
    def max_object_bytes(self) -> int:
        """The largest object that `put` takes."""

    async def start(self) -> None:
        """Make ready: create the bucket or folders where they are missing. May be called again after a fault.

        Only the owner of the data directory calls this, since the first call clears what a crash left half-written;
        later ones leave alone what is under way.
        Raises StoreUnavailable.
        """

    async def put(self, key: str, path: Path, *, media_type: str, metadata: Mapping[str, str]) -> None:
        """Store the file, replacing what was there. Durable on return; readers see the object whole or not at all.

        The file at `path` must never change afterwards: a store may share its blocks. `metadata` is printable ASCII,
        1792 bytes in all (see `records`). A put that ends early may leave what it brought, unseen, for the next put of
        the same file, which then goes on from there; `delete` clears it away.
        Raises StoreUnavailable; ValueError; OSError where `path` can't be read.
        """

    async def put_bytes(self, key: str, data: bytes, *, media_type: str) -> None:
        """As `put`, for small objects. Raises StoreUnavailable; ValueError."""

    async def fetch(self, key: str, to: Path) -> None:
        """Copy the object to a local file that appears whole or not at all.

        It must not be written to: it may be shared with the store.

        Raises ObjectMissing; StoreUnavailable; OSError where `to` can't be written.
        """

    async def open(self, key: str, start: int = 0, length: int | None = None) -> ObjectReader:
        """Read the object, or `length` bytes of it from `start` (cut at its end), in bounded memory. Close the reader.

        Raises ObjectMissing; StoreUnavailable, by the reader too; ValueError for a range without bytes.
        """

    async def stat(self, key: str) -> ObjectInfo:
        """What the store knows of the object. Raises ObjectMissing; StoreUnavailable."""

    async def delete(self, key: str) -> None:
        """Remove the object; an absent one is fine. Raises StoreUnavailable."""

    def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectEntry]:
        """Objects whose keys start with `prefix` and come after the key `after`, in key order, page by page.

        A listing may miss objects while a store restarts: never conclude from one that an object is gone.
        Raises StoreUnavailable, on the way too.
        """

    async def check(self) -> None:
        """Probe cheaply that the store would serve. Raises StoreUnavailable."""

    async def close(self) -> None:
        """Wait for what runs and let go of threads and connections."""


def checked_key(key: str) -> str:
    """The key itself, when it is one that every store can hold and that leads nowhere else. Raises ValueError."""
    if len(key) > MAX_KEY_CHARS or not _KEY.fullmatch(key) or {".", ".."} & set(key.split("/")):
        raise ValueError(f"not an object key: {key[:100]!r}")
    return key


def metadata_bytes(metadata: Mapping[str, str]) -> int:
    """What the metadata counts towards the limit, in bytes."""
    return sum(len(METADATA_PREFIX) + len(name) + len(value) for name, value in metadata.items())


def checked_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """A copy, when it fits every store. Raises ValueError."""
    for name, value in metadata.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"metadata {name!r} is not printable ASCII: {value[:100]!r}")
    if metadata_bytes(metadata) > MAX_METADATA_BYTES:
        raise ValueError(f"metadata has {metadata_bytes(metadata)} bytes; {MAX_METADATA_BYTES} is the limit")
    return dict(metadata)


def checked_range(start: int, length: int | None) -> None:
    """Raises ValueError unless the range can hold a byte."""
    if start < 0 or (length is not None and length < 1):
        raise ValueError(f"not a range of bytes: start {start}, length {length}")
