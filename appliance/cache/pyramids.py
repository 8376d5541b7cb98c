"""Pyramids on disk: `{edition}/{slug}.tif`, some hundreds of large files under a budget of their own.

No index is kept: each admission looks at all of them, and removes the least recently used beyond the budget.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

from appliance.cache.tickets import Ticket, Tickets
from appliance.shared.threads import Threads

EDITION = "2"
"""Raise it when pyramids are written in another way: those of other editions are removed at start-up."""
THREADS = 2
_DRAFT = ".draft"


class Pyramids:
    """Pyramids by slug. A budget of 0 keeps none."""

    def __init__(self, root: Path, *, limit_bytes: int) -> None:
        self._root = root
        self._home = root / EDITION
        self._limit_bytes = limit_bytes
        self._threads = Threads("pyramids", THREADS)
        self._tickets = Tickets()
        self.bytes = 0

    @property
    def enabled(self) -> bool:
        return self._limit_bytes > 0

    async def start(self) -> None:
        """Remove what a crash left half written, and what other editions wrote."""
        await self._threads.run(self._tidy)

    async def close(self) -> None:
        await self._threads.close()

    def open(self, slug: str) -> BinaryIO | None:
        """The pyramid, open for reading and marked as used; close it. None when there is none."""
        try:
            file = self._path(slug).open("rb", buffering=0)
        except OSError:  # not there, or a disk that can't read it: it can be built again
            return None
        with contextlib.suppress(OSError):
            os.utime(file.fileno())
        return file

    # --- admitting ------------------------------------------------------------------------------------------------

    @contextmanager
    def ticket(self, slug: str) -> Iterator[Ticket]:
        """Issued before the row is read; `admit` needs it."""
        ticket = self._tickets.begin(slug)
        try:
            yield ticket
        finally:
            self._tickets.end(ticket)

    @contextmanager
    def draft(self) -> Iterator[BinaryIO]:
        """An empty file to write a pyramid into; it goes unless it is admitted. Raises OSError."""
        self._home.mkdir(parents=True, exist_ok=True)
        path = self._home / f"{secrets.token_hex(8)}{_DRAFT}"
        with path.open("x+b", buffering=0) as file:
            try:
                yield file
            finally:
                path.unlink(missing_ok=True)

    async def admit(self, ticket: Ticket, draft: BinaryIO) -> bool:
        """Keep a finished draft, unless its image was evicted meanwhile or the budget is too small for it."""
        size = await self._threads.run(_synced, draft)
        # No await between the check and the rename: an eviction comes before both or after both.
        if ticket.revoked or size > self._limit_bytes:
            return False
        try:
            Path(draft.name).rename(self._path(ticket.slug))
        except FileNotFoundError:  # the folder was emptied
            return False
        await self._threads.run(self._trim)
        return True

    # --- forgetting -----------------------------------------------------------------------------------------------

    def barred(self, slug: str) -> AbstractContextManager[None]:
        """Keep nothing of the image whose making begins inside the block."""
        return self._tickets.barred(slug)

    async def evict(self, slug: str) -> None:
        """Forget an image's pyramid, and refuse one that is being built."""
        self._tickets.revoke(slug)
        await self._threads.run(self._remove, slug)

    def _remove(self, slug: str) -> None:
        self._path(slug).unlink(missing_ok=True)

    def _path(self, slug: str) -> Path:
        return self._home / f"{slug}.tif"

    def _tidy(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        for entry in self._root.iterdir():
            if entry != self._home:
                shutil.rmtree(entry, ignore_errors=True)
        for draft in self._home.glob(f"*{_DRAFT}"):
            draft.unlink(missing_ok=True)
        self._trim()

    def _trim(self) -> None:
        """Remove the least recently used until the others fit the budget."""
        files = sorted(self._files(), reverse=True)
        kept_bytes = 0
        for _, size, path in files:
            kept_bytes += size
            if kept_bytes > self._limit_bytes:
                kept_bytes -= size
                path.unlink(missing_ok=True)
        self.bytes = kept_bytes

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Time of last use, size and path of each."""
        for path in self._home.glob("*.tif"):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                yield stat.st_mtime, stat.st_size, path


def _synced(draft: BinaryIO) -> int:
    """Its size, once it is on the disk: a pyramid that a power cut tore would show grey tiles, and no error."""
    os.fsync(draft.fileno())
    return os.fstat(draft.fileno()).st_size
