"""The rendition cache: memory before disk, both bounded, both forgetting what was longest unused.

Disk: `{edition}/{slug[-2:]}/{slug}/{name}`, a file each with its checksum in front, so that one folder holds all of an
image. The edition names the settings that the renditions were made with; other editions are removed at start-up.
"""

import asyncio
import contextlib
import hashlib
import os
import random
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.threads import Threads

MAGIC = b"REN1"
CHECKSUM_BYTES = 12
HEADER_BYTES = len(MAGIC) + CHECKSUM_BYTES
ENTRY_OVERHEAD_BYTES = 400  # key, dictionary slot and object of one entry in memory
SAMPLE = 2000  # files looked at when evicting: exact up to here, close to least-recently-used beyond
LOW_WATER = 0.95
THREADS = 8


@dataclass(frozen=True, slots=True)
class Rendition:
    """The bytes of one rendition and their checksum, which is the ETag too."""

    data: bytes
    checksum: str

    @classmethod
    def of(cls, data: bytes) -> "Rendition":
        return cls(data, hashlib.blake2b(data, digest_size=CHECKSUM_BYTES).hexdigest())


class Ticket:
    """Leave to admit renditions of one image; `evict` takes it away from work that is still under way."""

    __slots__ = ("revoked", "slug")

    def __init__(self, slug: str) -> None:
        self.slug = slug
        self.revoked = False


class Cache:
    """Renditions by slug and name (`medium.webp`)."""

    def __init__(self, root: Path, *, edition: str, memory_bytes: int, disk_bytes: int) -> None:
        self._root = root
        self._home = root / edition
        self._home.mkdir(parents=True, exist_ok=True)
        self._memory: OrderedDict[tuple[str, str], Rendition] = OrderedDict()
        self._names: dict[str, set[str]] = {}
        self._memory_limit_bytes = memory_bytes
        self._disk_limit_bytes = disk_bytes
        self.memory_bytes = 0
        self.disk_bytes = 0
        self._tickets: dict[str, set[Ticket]] = {}
        self._threads = Threads("cache", THREADS)
        self._trimming: asyncio.Task[None] | None = None
        self._counting: asyncio.Future[None] | None = None
        self._counted = True
        self._published: set[Path] = set()
        self._renaming = threading.Lock()  # a file's size and its going are one step
        self._started_s = time.time() - 1  # file times lag by a tick

    async def start(self) -> None:
        """Return at once; what the disk holds is counted meanwhile, other editions are removed."""
        self._counted = False
        self._counting = asyncio.ensure_future(self._count_all())

    async def close(self) -> None:
        for pending in (self._counting, self._trimming):
            if pending is not None:
                await pending
        await self._threads.close()

    async def _count_all(self) -> None:
        found = await self._threads.run(self._count)
        self.disk_bytes += found
        self._counted = True
        self._published.clear()

    def _count(self) -> int:
        """The bytes of what earlier runs left; what this run admits meanwhile is counted when it is published."""
        for entry in self._root.iterdir():
            if entry != self._home:
                shutil.rmtree(entry, ignore_errors=True)
        _remove_drafts(self._home, before_s=self._started_s)
        return sum(size for _, size, path in _renditions(self._home) if path not in self._published)

    def _folder(self, slug: str) -> Path:
        return self._home / slug[-2:] / slug

    # --- looking up -----------------------------------------------------------------------------------------------

    def peek(self, slug: str, name: str) -> Rendition | None:
        """From memory, without waiting."""
        found = self._memory.get((slug, name))
        if found is not None:
            self._memory.move_to_end((slug, name))
        return found

    async def get(self, slug: str, name: str) -> Rendition | None:
        """From memory or disk; a hit on disk moves into memory. A torn or rotten file is a miss, and is removed."""
        if (near := self.peek(slug, name)) is not None:
            return near
        ticket = self.begin(slug)
        try:
            found, removed_bytes = await self._threads.run(self._read, self._folder(slug) / name)
            self.disk_bytes -= removed_bytes
            if found is not None and not ticket.revoked:
                self._remember(slug, name, found)
            return found
        finally:
            self.end(ticket)

    def _read(self, path: Path) -> tuple[Rendition | None, int]:
        """The rendition, and how many bytes went because they were none."""
        try:
            raw = path.read_bytes()
        except OSError:  # not there, or a disk that can't read it: it can be made again
            return None, 0
        found = Rendition.of(raw[HEADER_BYTES:])
        if raw[: len(MAGIC)] != MAGIC or raw[len(MAGIC) : HEADER_BYTES].hex() != found.checksum:
            return None, self._remove(path)
        with contextlib.suppress(OSError):
            os.utime(path)
        return found, 0

    async def names(self, slug: str) -> set[str]:
        """The renditions of an image that are here, in memory or on disk."""
        on_disk = await self._threads.run(self._list, self._folder(slug))
        return on_disk | self._names.get(slug, set())

    @staticmethod
    def _list(folder: Path) -> set[str]:
        try:
            return {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        except FileNotFoundError:
            return set()

    # --- admitting ------------------------------------------------------------------------------------------------

    def begin(self, slug: str) -> Ticket:
        """Before making renditions: the ticket that `admit` will ask for. Give it back with `end`."""
        ticket = Ticket(slug)
        self._tickets.setdefault(slug, set()).add(ticket)
        return ticket

    def end(self, ticket: Ticket) -> None:
        open_tickets = self._tickets.get(ticket.slug)
        if open_tickets is not None:
            open_tickets.discard(ticket)
            if not open_tickets:
                del self._tickets[ticket.slug]

    async def admit(self, ticket: Ticket, name: str, rendition: Rendition) -> bool:
        """Keep a rendition, unless its image was evicted since the ticket was drawn; says whether it was kept."""
        if ticket.revoked:
            return False
        self._remember(ticket.slug, name, rendition)
        try:
            draft = await self._threads.run(self._write_draft, self._folder(ticket.slug), rendition)
        except OSError:
            return True  # a full disk: memory has it, and it can be made again
        # No await between the check and the rename: an eviction comes before both or after both.
        if ticket.revoked or not self._publish(draft, self._folder(ticket.slug) / name):
            draft.unlink(missing_ok=True)
            return False
        self._trim_soon()
        return True

    @staticmethod
    def _write_draft(folder: Path, rendition: Rendition) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{secrets.token_hex(8)}"
        try:
            with draft.open("wb") as file:
                file.write(MAGIC + bytes.fromhex(rendition.checksum))
                file.write(rendition.data)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        return draft

    def _publish(self, draft: Path, path: Path) -> bool:
        with self._renaming:
            replaced_bytes = self._counted_size(path)
            if not self._counted:
                self._published.add(path)
            try:
                new_bytes = draft.stat().st_size
                draft.rename(path)
            except OSError:  # the folder was evicted
                return False
        self.disk_bytes += new_bytes - replaced_bytes
        return True

    def _counted_size(self, path: Path) -> int:
        """What a file adds to `disk_bytes`. Not counted yet: none, for too tight a bound does no harm."""
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            return 0
        return size if self._counted or path in self._published else 0

    def _remember(self, slug: str, name: str, rendition: Rendition) -> None:
        self._forget(slug, name)
        size = len(rendition.data) + ENTRY_OVERHEAD_BYTES
        if size > self._memory_limit_bytes // 4:
            return
        self._memory[slug, name] = rendition
        self._names.setdefault(slug, set()).add(name)
        self.memory_bytes += size
        while self.memory_bytes > self._memory_limit_bytes:
            self._forget(*next(iter(self._memory)))

    def _forget(self, slug: str, name: str) -> None:
        gone = self._memory.pop((slug, name), None)
        if gone is None:
            return
        self.memory_bytes -= len(gone.data) + ENTRY_OVERHEAD_BYTES
        self._names[slug].discard(name)
        if not self._names[slug]:
            del self._names[slug]

    # --- forgetting -----------------------------------------------------------------------------------------------

    async def evict(self, slug: str) -> None:
        """Forget every rendition of an image, and refuse those that are being made."""
        self._revoke(slug)
        freed = await self._threads.run(self._remove_folder, self._folder(slug))
        self.disk_bytes -= freed
        self._revoke(slug)  # again, for what was read from disk before the folder went

    def _revoke(self, slug: str) -> None:
        for ticket in self._tickets.get(slug, ()):
            ticket.revoked = True
        for name in tuple(self._names.get(slug, ())):
            self._forget(slug, name)

    def _remove(self, path: Path) -> int:
        """How many of the counted bytes went."""
        with self._renaming:
            size = self._counted_size(path)
            path.unlink(missing_ok=True)
        return size

    def _remove_folder(self, folder: Path) -> int:
        freed = sum(self._remove(path) for _, _, path in _renditions(folder))
        shutil.rmtree(folder, ignore_errors=True)
        return freed

    def _trim_soon(self) -> None:
        if (
            self._counted
            and self.disk_bytes > self._disk_limit_bytes
            and (self._trimming is None or self._trimming.done())
        ):
            self._trimming = asyncio.ensure_future(self.trim())

    async def trim(self) -> None:
        """Bring the disk below its bound."""
        freed = await self._threads.run(self._trim, int(self._disk_limit_bytes * LOW_WATER))
        self.disk_bytes -= freed

    def _trim(self, goal_bytes: int) -> int:
        """Evict the longest unused of a sample of shards, again and again; says how many bytes went."""
        freed = 0
        while self.disk_bytes - freed > goal_bytes:
            sample = self._sample()
            if not sample:
                break
            for _, _, path in sample[: max(1, len(sample) // 4)]:
                freed += self._remove(path)
                with contextlib.suppress(OSError):  # not empty yet
                    path.parent.rmdir()
                if self.disk_bytes - freed <= goal_bytes:
                    break
        return freed

    def _sample(self) -> list[tuple[float, int, Path]]:
        shards = list(self._home.iterdir())
        random.shuffle(shards)
        found: list[tuple[float, int, Path]] = []
        for shard in shards:
            found += _renditions(shard)
            if len(found) >= SAMPLE:
                break
        return sorted(found)


def _renditions(root: Path) -> Iterator[tuple[float, int, Path]]:
    """Time of last use, size and path of each rendition below `root`; drafts are none yet."""
    for folder, _, names in os.walk(root):
        for name in names:
            if not name.startswith("."):
                path = Path(folder) / name
                with contextlib.suppress(FileNotFoundError):
                    stat = path.stat()
                    yield stat.st_mtime, stat.st_size, path


def _remove_drafts(root: Path, *, before_s: float) -> None:
    """Remove what a crash left half written."""
    for folder, _, names in os.walk(root):  # unlike rglob, it takes folders that go meanwhile
        for path in (Path(folder) / name for name in names if name.startswith(".")):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before_s:
                    path.unlink()
