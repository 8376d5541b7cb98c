"""Working copies of stored originals, to look at or to change: in `incoming`, so the next start removes them."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from appliance.domain.errors import DiskFull
from appliance.shared.threads import Threads
from appliance.spool.digests import Digest
from appliance.spool.transfers import BUFFER_BYTES, Incoming


class WorkingCopies:
    """An image has one copy of each kind at a time. The caller has the room promised (`Spool.room_for`)."""

    def __init__(self, folder: Path, threads: Threads) -> None:
        self._folder = folder
        self._threads = threads

    def fetched_path(self, slug: str) -> Path:
        """Where an original can be fetched to. It may share its blocks with the store, so it is only read."""
        return self._folder / f"{slug}.fetched"

    async def copy(self, slug: str, original: BinaryIO) -> Incoming:
        """A copy of the open original that may be changed. Raises DiskFull; then nothing is left of it."""
        size = os.fstat(original.fileno()).st_size
        return await self._threads.run_through(size, self._copy, slug, original.fileno())

    async def sha256(self, original: BinaryIO) -> str:
        """Of the open original's bytes, in hex. Raises OSError where the disk can't read them."""
        size = os.fstat(original.fileno()).st_size
        return await self._threads.run_through(size, _sha256, original.fileno())

    async def remove(self, slug: str) -> None:
        """Remove what was fetched or copied; nothing there is fine."""
        await self._threads.run(self._remove, slug)

    def _remove(self, slug: str) -> None:
        for path in (self._folder / slug, self.fetched_path(slug)):
            path.unlink(missing_ok=True)

    def _copy(self, slug: str, descriptor: int) -> Incoming:
        path, digest = self._folder / slug, Digest()
        try:
            with path.open("wb") as copy:
                for block in _blocks(descriptor):
                    copy.write(block)
                    digest.feed(block, digest.bytes)
        except OSError as fault:
            path.unlink(missing_ok=True)
            raise DiskFull("The original couldn't be copied on disk, so it wasn't changed.") from fault
        return Incoming(slug, path, digest.bytes, digest)


def _blocks(descriptor: int) -> Iterator[bytes]:
    at = 0
    while block := os.pread(descriptor, BUFFER_BYTES, at):
        at += len(block)
        yield block


def _sha256(descriptor: int) -> str:
    digest = hashlib.sha256()
    for block in _blocks(descriptor):
        digest.update(block)
    return digest.hexdigest()
