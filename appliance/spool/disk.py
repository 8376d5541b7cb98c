"""The spool's folders: what is in each, how files move between them, and when they go.

incoming/{slug}   being received; nothing was acknowledged; removed at start-up
landed/{slug}     whole and synced, not known to be in the store; never evicted
copies/{slug}     in the store too; evicted, oldest use first, when the budget wants room
uploads/{hash}    of resumable uploads, which outlive their requests (see `resumed`)
orphans/{slug}    landed without a row (a crash before the commit, or a lost catalogue); kept some days
"""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from appliance.edits import Edit
from appliance.errors import DiskFull, EmptyUpload
from appliance.slugs import is_slug
from appliance.spool.resumed import UploadFiles
from appliance.spool.transfers import Incoming, Room, Transfer, cut, overwrite, too_large
from appliance.threads import Threads

ATTRIBUTE = "user.appliance"  # the object's metadata, kept with the file so that a lost catalogue can be rebuilt
THREADS = 32


class Spool:
    """Owns the spool's folders. `budget_bytes` bounds the copies; what has landed is bounded by the disk alone."""

    def __init__(self, root: Path, *, budget_bytes: int, reserve_bytes: int) -> None:
        self._root = root
        self._budget_bytes = budget_bytes
        self._threads = Threads("spool", THREADS)
        self._incoming, self._landed = root / "incoming", root / "landed"
        self._copies, self._orphans = root / "copies", root / "orphans"
        for folder in (self._incoming, self._landed, self._copies, self._orphans):
            folder.mkdir(parents=True, exist_ok=True)
        self.room = Room(root, reserve_bytes)
        self.uploads = UploadFiles(root / "uploads", self.room, self._threads, self._make_room)
        self.copies_bytes = 0
        self._trimming = asyncio.Lock()
        self._receiving: set[str] = set()
        self._landing: set[str] = set()

    async def start(self) -> None:
        """Remove what a crash left half received or half fetched, and count the copies."""
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
        """Raises DiskFull, with the figures, when an upload of this size would not be let in now."""
        await self._make_room(wanted_bytes)
        self.room.check(wanted_bytes)

    async def receive(
        self, slug: str, stream: AsyncIterator[bytes], *, announced_bytes: int | None, max_bytes: int
    ) -> Incoming:
        """Write `stream` to `incoming/`, hashing on the way, two blocks in memory at most.

        Raises TooLarge, EmptyUpload, DiskFull, and whatever the stream raises; then nothing is left on disk.
        """
        if announced_bytes is not None and announced_bytes > max_bytes:
            raise too_large(max_bytes, announced_bytes)
        path = self._incoming / slug
        transfer = Transfer(path, self.room, self._threads, self._make_room)
        self._receiving.add(slug)
        try:
            await transfer.claim(announced_bytes or 0)
            await transfer.pour(stream, max_bytes)
            if transfer.bytes == 0:
                raise EmptyUpload("The file has no bytes. Choose a file that has some.")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            self._receiving.discard(slug)
            await asyncio.shield(transfer.close())  # it ends, however often this is cancelled
        return Incoming(slug, path, transfer.bytes, transfer.digest)

    async def overwrite(self, incoming: Incoming, edits: Sequence[Edit]) -> Incoming:
        """Change bytes where they lie, and have the digest follow. It may be done again. Raises DiskFull."""
        return await self._threads.run(overwrite, incoming, edits)

    @contextlib.contextmanager
    def landing(self, slug: str) -> Iterator[None]:
        """Until its row is committed, however long a stalled disk makes that, no sweep takes the file for a stray."""
        self._landing.add(slug)
        try:
            yield
        finally:
            self._landing.discard(slug)

    async def land(self, incoming: Incoming, metadata: Mapping[str, str]) -> None:
        """Make the file durable under its slug, with its metadata beside it; on return it survives a power cut.

        Raises DiskFull.
        """
        await self._threads.run(self._land, incoming, dict(metadata))

    def _land(self, incoming: Incoming, metadata: dict[str, str]) -> None:
        try:
            with incoming.path.open("r+b", buffering=0) as file:
                if incoming.path.parent == self._incoming:
                    cut(file, incoming.bytes)
                with contextlib.suppress(OSError):  # a filesystem without attributes: the doctor warns of it
                    os.setxattr(file.fileno(), ATTRIBUTE, json.dumps(metadata).encode())
                os.fsync(file.fileno())
                incoming.path.rename(self._landed / incoming.slug)
                cut(file, incoming.bytes)  # a resumable upload's not before: its size tells how far it is
            sync_folder(self._landed)
        except OSError as fault:
            raise DiskFull("The disk refused to keep the file; nothing was uploaded. Try again later.") from fault

    async def take_back(self, slug: str, path: Path, length: int | None) -> None:
        """What landed, but could not be promised, returns to where it came from and has its `length` again."""
        await self._threads.run(self._take_back, slug, path, length or 0)

    def _take_back(self, slug: str, path: Path, length: int) -> None:
        landed = self._landed / slug
        with contextlib.suppress(FileNotFoundError):
            if landed.stat().st_size < length:
                os.truncate(landed, length)
            landed.rename(path)

    async def discard(self, slug: str) -> None:
        """Forget a file that was never acknowledged."""
        await self._threads.run(self._unlink, slug, (self._incoming, self._landed))

    # --- reading --------------------------------------------------------------------------------------------------

    def open(self, slug: str) -> BinaryIO | None:
        """The original's file if it is here, opened for reading; None when it is not."""
        for folder in (self._copies, self._landed, self._copies):  # it moves from landed to copies, never back
            with contextlib.suppress(FileNotFoundError):
                return (folder / slug).open("rb", buffering=0)
        return None

    def landed_path(self, slug: str) -> Path:
        return self._landed / slug

    def copy_path(self, slug: str) -> Path:
        return self._copies / slug

    # --- after shipping -------------------------------------------------------------------------------------------

    async def release(self, slug: str) -> None:
        """The store has the original now: what landed becomes an evictable copy."""
        self.count_copy(await self._threads.run(self._release, slug))
        await self.keep_budget()

    def _release(self, slug: str) -> int:
        with contextlib.suppress(FileNotFoundError):
            size = (self._landed / slug).stat().st_size
            (self._landed / slug).rename(self._copies / slug)
            return size
        return 0

    @contextlib.asynccontextmanager
    async def room_for(self, bytes_: int) -> AsyncIterator[None]:
        """Room for a copy that is being fetched, made by evicting others if need be. Raises DiskFull."""
        await self._make_room(bytes_)
        self.room.claim(bytes_)
        try:
            yield
        finally:
            self.room.give_back(bytes_)

    def count_copy(self, bytes_: int) -> None:
        """A copy is here: `keep_budget` when nobody waits for it any more."""
        self.copies_bytes += bytes_

    async def keep_budget(self) -> None:
        """Evict copies if there are more than the budget allows."""
        if self.copies_bytes > self._budget_bytes:
            await self.trim()

    async def touch(self, slug: str) -> None:
        """Note that the copy was used, so that others go first."""
        with contextlib.suppress(FileNotFoundError):
            await self._threads.run(os.utime, self._copies / slug)

    async def remove(self, slug: str) -> None:
        """Erase every trace of an ended image's original."""
        await self._threads.run(self._unlink, slug, (self._landed, self._copies, self._orphans))

    @staticmethod
    def _unlink(slug: str, folders: tuple[Path, ...]) -> None:
        for folder in folders:
            (folder / slug).unlink(missing_ok=True)

    async def trim(self, wanted_bytes: int = 0) -> None:
        """Evict copies, longest unused first, down to the budget and until `wanted_bytes` more are available."""
        async with self._trimming:
            self.copies_bytes = await self._threads.run(self._trim, wanted_bytes)

    def _trim(self, wanted_bytes: int) -> int:
        """Says how many bytes are left. What is not named by a slug is still being fetched, and no copy yet."""
        copies = sorted(
            (stat.st_mtime, stat.st_size, path) for path, stat in _files(self._copies) if is_slug(path.name)
        )
        total = sum(size for _, size, _ in copies)
        for _, size, path in copies:
            if total <= self._budget_bytes and self.room.available_bytes >= wanted_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size
        return total

    async def _make_room(self, wanted_bytes: int) -> None:
        if self.copies_bytes and wanted_bytes > self.room.available_bytes:
            await self.trim(wanted_bytes)

    # --- sweeping -------------------------------------------------------------------------------------------------

    async def landed_slugs(self, *, older_than_s: float = 0.0) -> list[str]:
        """What has landed at least `older_than_s` seconds ago and is not being `landing`, in slug order."""
        slugs = await self._threads.run(self._landed_slugs, older_than_s)
        return [slug for slug in slugs if slug not in self._landing]

    def _landed_slugs(self, older_than_s: float) -> list[str]:
        newest = time.time() - older_than_s  # file times are the machine's own
        return sorted(path.name for path, stat in _files(self._landed) if is_slug(path.name) and stat.st_ctime < newest)

    async def drop_stalled(self, *, older_than_s: float) -> int:
        """Remove received files that no transfer writes and nobody accepted for so long; says how many."""
        return await self._threads.run(self._drop_old, self._incoming, older_than_s, frozenset(self._receiving))

    async def quarantine(self, slug: str) -> None:
        """Set aside a file that no row knows."""
        await self._threads.run(self._quarantine, slug)

    def _quarantine(self, slug: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self._landed / slug).rename(self._orphans / slug)

    async def bring_back(self, slug: str) -> bool:
        """Return to `landed` what was set aside, now that a row is known for it; False if nothing was."""
        return await self._threads.run(self._bring_back, slug)

    def _bring_back(self, slug: str) -> bool:
        with contextlib.suppress(FileNotFoundError):
            (self._orphans / slug).rename(self._landed / slug)
            sync_folder(self._landed)
            return True
        return False

    async def drop_orphans(self, *, older_than_s: float) -> int:
        """Remove what was set aside longer ago than that; says how many."""
        return await self._threads.run(self._drop_old, self._orphans, older_than_s, frozenset())

    @staticmethod
    def _drop_old(folder: Path, older_than_s: float, spared: frozenset[str]) -> int:
        newest, dropped = time.time() - older_than_s, 0
        for path, stat in _files(folder):
            if stat.st_ctime < newest and path.name not in spared:
                path.unlink(missing_ok=True)
                dropped += 1
        return dropped

    def landed_bytes(self) -> int:
        return sum(stat.st_size for _, stat in _files(self._landed))


def landed_metadata(path: Path) -> dict[str, str] | None:
    """The metadata that `Spool.land` kept with a file; None where there is none."""
    try:
        found = json.loads(os.getxattr(path, ATTRIBUTE))
    except (OSError, ValueError):
        return None
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else None


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                found.append((Path(entry.path), entry.stat()))
    return found
