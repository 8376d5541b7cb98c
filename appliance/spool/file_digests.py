"""Which bytes the file of an original has: its sha256, kept with it as an attribute, so that no view hashes it.

What landed has it from the beginning. A file without it, as older releases fetched them, is hashed when it is used
first; where the filesystem has no attributes, when it is used first after a start.
"""

import os
from typing import BinaryIO

from cachetools import LRUCache

from appliance.shared.keyed_locks import KeyedLocks
from appliance.spool.folders import keep_metadata, kept_metadata
from appliance.spool.working_copies import WorkingCopies

MAX_REMEMBERED = 100_000


class FileDigests:
    """Used by the event loop's thread alone; only hashing has threads."""

    def __init__(self, working: WorkingCopies) -> None:
        self._working = working
        self._hashing = KeyedLocks()
        self._remembered: LRUCache[str, tuple[int, str]] = LRUCache(MAX_REMEMBERED)  # inode and sha256

    def known(self, slug: str, file: BinaryIO) -> str | None:
        """The sha256 of the open file, in hex; None where it has yet to be hashed."""
        kept = (kept_metadata(file.fileno()) or {}).get("sha256")
        if kept is not None:
            return kept
        inode, sha256 = self._remembered.get(slug, (None, None))
        return sha256 if inode == os.fstat(file.fileno()).st_ino else None

    async def find(self, slug: str, file: BinaryIO) -> str:
        """The sha256 of the open file, in hex. Raises OSError where the disk can't read it."""
        if (known := self.known(slug, file)) is not None:
            return known
        async with self._hashing.holding(slug):
            if (known := self.known(slug, file)) is None:
                known = await self._working.sha256(file)
                self.note(slug, file, known)
        return known

    def note(self, slug: str, file: BinaryIO, sha256: str) -> None:
        """Keep it with the open file."""
        metadata = kept_metadata(file.fileno()) or {}
        try:
            keep_metadata(file.fileno(), metadata | {"sha256": sha256})
        except OSError:  # a filesystem without attributes, which the doctor warns about
            self._remembered[slug] = (os.fstat(file.fileno()).st_ino, sha256)

    def forget(self, slug: str) -> None:
        """The slug's next file may have the inode of the last one."""
        self._remembered.pop(slug, None)
