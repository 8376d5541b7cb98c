"""The spool's folders: what is in each, how files move between them, and when they go.

incoming/{slug}   being received; not acknowledged yet; removed at start-up
landed/{slug}     complete and synced, not known to be in the store; never evicted
copies/{slug}     in the store too; evicted, least recently used first, to stay within the budget
uploads/{hash}    resumable uploads, which outlive their requests (see `resumed`)
orphans/{slug}    landed without a row (a crash before the commit, or a lost catalogue); kept some days
"""

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

from appliance.domain.errors import DiskFull, EmptyUpload
from appliance.domain.file_edits import Edit
from appliance.domain.slugs import is_slug
from appliance.shared import files
from appliance.shared.threads import Threads
from appliance.spool.folders import drop_old, files_in, freed_bytes, keep_metadata, landed_sha256
from appliance.spool.original_files import OriginalFiles
from appliance.spool.resumed import UploadFiles
from appliance.spool.room import ExpectedUpload, Room, UploadProgress
from appliance.spool.transfers import SYNC_BYTES, Incoming, Transfer, cut, finished, overwrite, too_large
from appliance.spool.working_copies import WorkingCopies

THREADS, LARGE_THREADS = 32, 8
EVICTED_BYTES = 64 << 20  # of copies at once, where an upload needs their room: each eviction lists them all


class Spool:
    """Owns the spool's folders. `budget_bytes` bounds the copies; only the disk bounds what has landed.

    A file that is being received is synced every `sync_bytes`.
    """

    def __init__(self, root: Path, *, budget_bytes: int, reserve_bytes: int, sync_bytes: int = SYNC_BYTES) -> None:
        self._root = root
        self._budget_bytes = budget_bytes
        self._sync_bytes = sync_bytes
        self._threads = Threads("spool", THREADS, LARGE_THREADS)
        self._incoming, self._landed = root / "incoming", root / "landed"
        self._copies, self._orphans = root / "copies", root / "orphans"
        for folder in (self._incoming, self._landed, self._copies, self._orphans):
            folder.mkdir(parents=True, exist_ok=True)
        self.room = Room(root, reserve_bytes, lambda: self._evictable_bytes)
        self.working = WorkingCopies(self._incoming, self._threads)
        self.originals = OriginalFiles(self._landed, self._copies, self.working, self._threads)
        self.uploads = UploadFiles(root / "uploads", self.room, self._threads, self._make_room, sync_bytes)
        self.copies_bytes = 0
        self._evictable_bytes = 0  # of them; a copy that is a link to the store's own file frees nothing
        self._trimming = asyncio.Lock()
        self._receiving: set[str] = set()
        self._landing = Counter[str]()

    async def start(self) -> None:
        """Remove files that a crash left half-received or half-fetched, and count the copies."""
        await self._threads.run(self._clear_unfinished)
        await self.trim()

    def _clear_unfinished(self) -> None:
        for path in (*self._incoming.iterdir(), *self._copies.iterdir()):
            if path.parent == self._incoming or not is_slug(path.name):
                path.unlink(missing_ok=True)

    async def close(self) -> None:
        await self._threads.close()

    # --- receiving ------------------------------------------------------------------------------------------------

    async def check_room(self, wanted_bytes: int) -> None:
        """Raises DiskFull when an upload of this size would not be admitted now. An announcement evicts nothing."""
        self.room.check(wanted_bytes)

    async def receive(
        self,
        slug: str,
        stream: AsyncIterator[bytes],
        *,
        announced_bytes: int | None,
        max_bytes: int,
        client: str = "",
        since_s: float = 0.0,
    ) -> Incoming:
        """Write `stream` to `incoming/` and hash it, with two blocks in memory at most.

        Raises TooLarge, EmptyUpload, DiskFull, and whatever the stream raises; then nothing is left on disk.
        """
        if announced_bytes is not None and announced_bytes > max_bytes:
            raise too_large(max_bytes, announced_bytes)
        path = self._incoming / slug
        expected = ExpectedUpload(max_bytes, announced_bytes, client, since_s)
        transfer = Transfer(path, self.room, self._threads, self._make_room, expected, self._sync_bytes)
        self._receiving.add(slug)
        try:
            if announced_bytes is not None:
                transfer.check(announced_bytes)
            await transfer.pour(stream)
            if transfer.bytes == 0:
                raise EmptyUpload
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            self._receiving.discard(slug)
            await finished(transfer)
        return Incoming(slug, path, transfer.bytes, transfer.digest)

    async def overwrite(self, incoming: Incoming, edits: Sequence[Edit]) -> Incoming:
        """Change bytes in place, and update the digest. Repeating it is fine. Raises DiskFull."""
        return await self._threads.run_through(incoming.bytes, overwrite, incoming, edits)

    @contextlib.contextmanager
    def landing(self, slug: str) -> Iterator[None]:
        """Surrounds the commit of the row, so that no sweep takes the file for a stray, however slow the disk is.

        Several may surround one slug.
        """
        self._landing[slug] += 1
        try:
            yield
        finally:
            self._landing[slug] -= 1
            if not self._landing[slug]:
                del self._landing[slug]

    async def land(self, incoming: Incoming, metadata: Mapping[str, str]) -> None:
        """Make the file durable under its slug, with its metadata as an attribute; on return it survives a power cut.

        Raises DiskFull.
        """
        self.originals.expect(incoming.slug)
        await self._threads.run(self._land, incoming, metadata)

    def _land(self, incoming: Incoming, metadata: Mapping[str, str]) -> None:
        try:
            with incoming.path.open("r+b", buffering=0) as file:
                if incoming.path.parent == self._incoming:
                    cut(file, incoming.bytes)
                with contextlib.suppress(OSError):  # a filesystem without attributes, which the doctor warns about
                    keep_metadata(file.fileno(), metadata)
                os.fsync(file.fileno())
                incoming.path.rename(self._landed / incoming.slug)
                cut(file, incoming.bytes)  # not earlier for a resumable upload, whose size tells how far it is
            files.sync(self._landed)
        except OSError as fault:
            raise DiskFull("The file couldn't be written to disk, so nothing was uploaded. Try again later.") from fault

    async def take_back(self, slug: str, path: Path, length: int | None) -> None:
        """Move a file that landed, but can't be promised, back to `path`, at its full `length`."""
        await self._threads.run(self._take_back, slug, path, length or 0)

    def _take_back(self, slug: str, path: Path, length: int) -> None:
        landed = self._landed / slug
        with contextlib.suppress(FileNotFoundError):
            if landed.stat().st_size < length:
                os.truncate(landed, length)
            landed.rename(path)

    async def discard(self, slug: str) -> None:
        """Remove a file that was never acknowledged, as the original or in its place."""
        await self._threads.run(self._unlink, slug, (self._incoming, self._landed))

    def landed_path(self, slug: str) -> Path:
        return self._landed / slug

    def copy_path(self, slug: str) -> Path:
        return self._copies / slug

    # --- after shipping -------------------------------------------------------------------------------------------

    async def release(self, slug: str) -> None:
        """The store has the original, so what landed becomes an evictable copy."""
        if await self._threads.run(self._release, slug):
            self.count_copy(slug)
        await self.keep_budget()

    def _release(self, slug: str) -> bool:
        with contextlib.suppress(FileNotFoundError):
            (self._landed / slug).rename(self._copies / slug)
            return True
        return False

    @contextlib.asynccontextmanager
    async def room_for(self, bytes_: int, *, of_reserve: bool = False) -> AsyncIterator[None]:
        """Room for a copy that is being made; others are evicted where needed. Raises DiskFull.

        With `of_reserve` it may use some of that (see `Room.promise_of_reserve`).
        """
        await self._make_room(bytes_, None)
        if of_reserve:
            self.room.promise_of_reserve(bytes_)
        else:
            self.room.promise(bytes_)
        try:
            yield
        finally:
            self.room.release(bytes_)

    def count_copy(self, slug: str) -> None:
        """Count a new copy. Call `keep_budget` once nobody waits for it."""
        with contextlib.suppress(FileNotFoundError):
            stat = (self._copies / slug).stat()
            self.copies_bytes += stat.st_size
            self._evictable_bytes += freed_bytes(stat)

    async def keep_budget(self) -> None:
        """Evict copies if there are more than the budget allows."""
        if self.copies_bytes > self._budget_bytes:
            await self.trim()

    async def touch(self, slug: str) -> None:
        """Note that the copy was used, so that others are evicted first."""
        with contextlib.suppress(FileNotFoundError):
            await self._threads.run(os.utime, self._copies / slug)

    async def drop_copy(self, slug: str) -> None:
        """Remove the copy, because other bytes take the place of its own."""
        await self._threads.run(self._unlink, slug, (self._copies,))

    async def remove(self, slug: str) -> None:
        """Erase every trace of an ended image's original."""
        await self._threads.run(self._unlink, slug, (self._landed, self._copies, self._orphans))

    @staticmethod
    def _unlink(slug: str, folders: tuple[Path, ...]) -> None:
        for folder in folders:
            (folder / slug).unlink(missing_ok=True)

    async def trim(self, wanted_bytes: int = 0) -> None:
        """Evict copies, least recently used first, down to the budget and until `wanted_bytes` more are available."""
        async with self._trimming:
            self.copies_bytes, self._evictable_bytes = await self._threads.run(self._trim, wanted_bytes)

    def _trim(self, wanted_bytes: int) -> tuple[int, int]:
        """Returns how many bytes are left, and how many of them could be freed.

        A file that is not named by a slug is still being fetched.
        """
        copies = sorted(
            (stat.st_mtime, path, stat.st_size, freed_bytes(stat))
            for path, stat in files_in(self._copies)
            if is_slug(path.name)
        )
        total, evictable = sum(size for _, _, size, _ in copies), sum(freed for *_, freed in copies)
        for _, path, size, freed in copies:
            makes_room = freed > 0 and self.room.available_bytes < wanted_bytes
            if total > self._budget_bytes or makes_room:
                path.unlink(missing_ok=True)
                total, evictable = total - size, evictable - freed
        return total, evictable

    async def _make_room(self, wanted_bytes: int, progress: UploadProgress | None) -> None:
        if self._evictable_bytes and self.room.is_short_of(wanted_bytes, progress):
            await self.trim(max(self.room.goal(wanted_bytes, progress), self.room.available_bytes + EVICTED_BYTES))

    # --- sweeping -------------------------------------------------------------------------------------------------

    async def landed_slugs(self, *, older_than_s: float = 0.0) -> list[str]:
        """Slugs of files that landed at least `older_than_s` seconds ago and aren't inside `landing`, in order."""
        slugs = await self._threads.run(self._landed_slugs, older_than_s)
        return [slug for slug in slugs if slug not in self._landing]

    def _landed_slugs(self, older_than_s: float) -> list[str]:
        newest = time.time() - older_than_s  # file times are the machine's own
        return sorted(
            path.name for path, stat in files_in(self._landed) if is_slug(path.name) and stat.st_ctime < newest
        )

    async def landed_sha256(self, slug: str) -> str | None:
        """The sha256 of a landed file, in hex; None where there is none."""
        return await self._threads.run(landed_sha256, self.landed_path(slug))

    async def drop_stalled(self, *, older_than_s: float) -> int:
        """Remove files that nothing has written or accepted for so long. Returns how many."""
        return await self._threads.run(drop_old, self._incoming, older_than_s, frozenset(self._receiving))

    async def quarantine(self, slug: str) -> None:
        """Set aside a file that has no row."""
        await self._threads.run(self._quarantine, slug)

    def _quarantine(self, slug: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self._landed / slug).rename(self._orphans / slug)

    async def bring_back(self, slug: str) -> bool:
        """Move a file that was set aside back to `landed`, because it has a row. False where there is none."""
        return await self._threads.run(self._bring_back, slug)

    def _bring_back(self, slug: str) -> bool:
        with contextlib.suppress(FileNotFoundError):
            files.rename(self._orphans / slug, self._landed / slug)
            return True
        return False

    async def drop_orphans(self, *, older_than_s: float) -> int:
        """Remove what was set aside longer ago than that. Returns how many."""
        return await self._threads.run(drop_old, self._orphans, older_than_s)

    def landed_bytes(self) -> int:
        return sum(stat.st_size for _, stat in files_in(self._landed))
