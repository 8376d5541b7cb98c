"""The spool: the local landing disk that every upload passes through, and that keeps copies of recent originals.

incoming/{slug}   being received; nothing was acknowledged; removed at start-up
landed/{slug}     whole and synced, not known to be in the store; never evicted
copies/{slug}     in the store too; evicted, oldest use first, when the budget wants room
orphans/{slug}    landed without a row (a crash before the commit, or a lost catalogue); kept some days
"""

import asyncio
import contextlib
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from appliance.errors import DiskFull, EmptyUpload, TooLarge
from appliance.slugs import is_slug
from appliance.threads import Threads

BUFFER_BYTES = 1 << 20  # what one transfer holds in memory at most twice: one block fills while the other is written
STEP_BYTES = 16 << 20  # room is claimed in such steps when the length was not announced
ATTRIBUTE = "user.appliance"  # the object's metadata, kept with the file so that a lost catalogue can be rebuilt
THREADS = 32


@dataclass(frozen=True, slots=True)
class Incoming:
    """A received file that is not yet promised to anybody. `sha256` is in hex."""

    slug: str
    path: Path
    bytes: int
    sha256: str


class Room:
    """Disk that is promised once: each open transfer reserves the bytes that it may still write."""

    def __init__(self, folder: Path, reserve_bytes: int) -> None:
        self._folder = folder
        self._reserve_bytes = reserve_bytes
        self._promised_bytes = 0

    @property
    def available_bytes(self) -> int:
        """What a new transfer may take: free disk less the reserve and what is promised already."""
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize - self._reserve_bytes - self._promised_bytes

    def claim(self, wanted_bytes: int) -> None:
        """Promise `wanted_bytes`; raises DiskFull with the figures."""
        available = max(0, self.available_bytes)
        if wanted_bytes > available:
            raise DiskFull(
                f"This upload needs {wanted_bytes:,} bytes of disk; {available:,} are left. Try again later.",
                limit=available,
                actual=wanted_bytes,
            )
        self._promised_bytes += wanted_bytes

    def give_back(self, bytes_: int) -> None:
        """Take back a promise: the bytes were written (the disk counts them now) or won't be."""
        self._promised_bytes -= bytes_


class Transfer:
    """One file being received: hashed and written off the loop, with its own claim on the disk."""

    def __init__(self, path: Path, room: Room, threads: Threads, announced_bytes: int | None) -> None:
        self._room = room
        self._threads = threads
        self._claimed_bytes = 0
        self._hash = hashlib.sha256()
        self.bytes = 0
        self._claim(announced_bytes or 0)
        self._file: BinaryIO = path.open("xb", buffering=0)

    def _claim(self, bytes_: int) -> None:
        self._room.claim(bytes_)
        self._claimed_bytes += bytes_

    async def write(self, block: bytearray) -> None:
        if len(block) > self._claimed_bytes:
            self._claim(max(STEP_BYTES, len(block)))
        await self._threads.run(self._write, block)
        self._room.give_back(len(block))
        self._claimed_bytes -= len(block)
        self.bytes += len(block)

    def _write(self, block: bytearray) -> None:
        self._hash.update(block)
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as fault:
            raise DiskFull(f"The disk refused the bytes after {self.bytes:,}. Try again later.") from fault

    def sha256(self) -> str:
        return self._hash.hexdigest()

    def close(self) -> None:
        self._file.close()
        self._room.give_back(self._claimed_bytes)
        self._claimed_bytes = 0


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
        self.copies_bytes = 0
        self._trimming = asyncio.Lock()
        self._receiving: set[str] = set()

    async def start(self) -> None:
        """Remove what a crash left half received, and count the copies."""
        await self._threads.run(self._clear_incoming)
        await self.trim()

    def _clear_incoming(self) -> None:
        for path in self._incoming.iterdir():
            path.unlink(missing_ok=True)

    async def close(self) -> None:
        await self._threads.close()

    # --- receiving ------------------------------------------------------------------------------------------------

    async def receive(
        self, slug: str, stream: AsyncIterator[bytes], *, announced_bytes: int | None, max_bytes: int
    ) -> Incoming:
        """Write `stream` to `incoming/`, hashing on the way, two blocks in memory at most.

        Raises TooLarge, EmptyUpload, DiskFull, and whatever the stream raises; then nothing is left on disk.
        """
        if announced_bytes is not None and announced_bytes > max_bytes:
            raise too_large(max_bytes, announced_bytes)
        path = self._incoming / slug
        await self._make_room(announced_bytes or 0)
        transfer = Transfer(path, self.room, self._threads, announced_bytes)
        self._receiving.add(slug)
        try:
            await self._pour(stream, transfer, max_bytes)
            if transfer.bytes == 0:
                raise EmptyUpload("The file has no bytes. Choose a file that has some.")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            self._receiving.discard(slug)
            transfer.close()
        return Incoming(slug, path, transfer.bytes, transfer.sha256())

    @staticmethod
    async def _pour(stream: AsyncIterator[bytes], transfer: Transfer, max_bytes: int) -> None:
        block, writing, taken = bytearray(), None, 0
        try:
            async for chunk in stream:
                taken += len(chunk)
                if taken > max_bytes:
                    raise too_large(max_bytes, taken)
                block += chunk
                if len(block) >= BUFFER_BYTES:
                    if writing is not None:
                        await writing
                    writing, block = asyncio.ensure_future(transfer.write(block)), bytearray()
        finally:
            if writing is not None:
                await writing
        if block:
            await transfer.write(block)

    async def land(self, incoming: Incoming, metadata: Mapping[str, str]) -> None:
        """Make the file durable under its slug, with its metadata beside it; on return it survives a power cut."""
        await self._threads.run(self._land, incoming, dict(metadata))

    def _land(self, incoming: Incoming, metadata: dict[str, str]) -> None:
        with incoming.path.open("rb") as file:
            with contextlib.suppress(OSError):  # a filesystem without attributes: the doctor warns of it
                os.setxattr(file.fileno(), ATTRIBUTE, json.dumps(metadata).encode())
            os.fsync(file.fileno())
        incoming.path.rename(self._landed / incoming.slug)
        sync_folder(self._landed)

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
        await self._threads.run(self._release, slug)
        await self.count_copy(0)

    def _release(self, slug: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self._landed / slug).rename(self._copies / slug)
            self.copies_bytes += (self._copies / slug).stat().st_size

    @contextlib.asynccontextmanager
    async def room_for(self, bytes_: int) -> AsyncIterator[None]:
        """Room for a copy that is being fetched, made by evicting others if need be. Raises DiskFull."""
        await self._make_room(bytes_)
        self.room.claim(bytes_)
        try:
            yield
        finally:
            self.room.give_back(bytes_)

    async def count_copy(self, bytes_: int) -> None:
        """A copy was fetched: keep the budget."""
        self.copies_bytes += bytes_
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
            await self._threads.run(self._trim, wanted_bytes)

    def _trim(self, wanted_bytes: int) -> None:
        copies = sorted((stat.st_mtime, stat.st_size, path) for path, stat in _files(self._copies))
        total = sum(size for _, size, _ in copies)
        for _, size, path in copies:
            if total <= self._budget_bytes and self.room.available_bytes >= wanted_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size
        self.copies_bytes = total

    async def _make_room(self, wanted_bytes: int) -> None:
        if self.copies_bytes and wanted_bytes > self.room.available_bytes:
            await self.trim(wanted_bytes)

    # --- sweeping -------------------------------------------------------------------------------------------------

    async def landed_slugs(self, *, older_than_s: float = 0.0) -> list[str]:
        """What has landed at least `older_than_s` seconds ago, in slug order."""
        return await self._threads.run(self._landed_slugs, older_than_s)

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


def too_large(max_bytes: int, actual_bytes: int) -> TooLarge:
    return TooLarge(
        f"The file has {actual_bytes:,} bytes or more; at most {max_bytes:,} are taken.",
        limit=max_bytes,
        actual=actual_bytes,
    )


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
