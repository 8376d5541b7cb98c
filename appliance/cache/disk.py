"""Renditions on disk: `{edition}/{slug[-2:]}/{slug}/{name}`, so that one folder holds all of an image.

No index is kept: what is evicted for room is the least recently used of a sample. The edition names the settings that
the renditions were made with; other editions are removed at start-up.
"""

import asyncio
import contextlib
import os
import random
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from cachetools import LRUCache

from appliance.cache.rendition import HEADER_BYTES, Rendition, unpacked
from appliance.shared.threads import Threads

T = TypeVar("T")

SAMPLE = 2000  # files looked at when evicting: exact up to here, close to least-recently-used beyond
LOW_WATER = 0.95
THREADS = 8
MAX_ABSENT = 10_000


class DiskCache:
    """Renditions by slug and name; `bytes` is what they take, known once `start` has counted them.

    Images that were looked for and have no folder are remembered until something of them is published, so that a cold
    view looks once.
    """

    def __init__(self, root: Path, *, edition: str, limit_bytes: int) -> None:
        self._root = root
        self._home = root / edition
        self._home.mkdir(parents=True, exist_ok=True)
        self._limit_bytes = limit_bytes
        self._threads = Threads("cache", THREADS)
        self._trimming: asyncio.Task[None] | None = None
        self._counting: asyncio.Future[None] | None = None
        self._counted = True
        self._published: set[Path] = set()
        self._renaming = threading.Lock()  # a file's size and its going are one step
        self._closing = threading.Event()
        self._absent: LRUCache[str, None] = LRUCache(MAX_ABSENT)
        self._publications = 0
        self._started_s = time.time() - 1  # file times lag by a tick
        self.bytes = 0

    async def start(self) -> None:
        """Return at once; the background task counts what the disk holds, and removes other editions."""
        self._counted = False
        self._counting = asyncio.ensure_future(self._count_all())

    async def close(self) -> None:
        """Stop counting and trimming; the next start counts again."""
        self._closing.set()
        await self.settle()
        await self._threads.close()

    async def settle(self) -> None:
        """Wait until what the disk holds is counted, and no trimming is under way."""
        for pending in (self._counting, self._trimming):
            if pending is not None:
                await pending

    async def get(self, slug: str, name: str) -> Rendition | None:
        """A damaged file is a miss, and is removed."""
        if slug in self._absent:
            return None
        publications = self._publications
        found, removed_bytes, has_folder = await self._threads.run(self._read, self._folder(slug) / name)
        self.bytes -= removed_bytes
        if not has_folder and publications == self._publications:
            self._absent[slug] = None
        return found

    async def sizes(self, slug: str) -> dict[str, int]:
        """The renditions of one image that are here, and how many bytes each has."""
        return {} if slug in self._absent else await self._threads.run(_sizes, self._folder(slug))

    async def drafts(self, slug: str, made: Mapping[str, Rendition]) -> dict[str, Path]:
        """Write renditions next to their final places, for `publish`; all of them, or none. Raises OSError."""
        return await self._threads.run(_write_drafts, self._folder(slug), made)

    def publish(self, draft: Path, name: str) -> bool:
        """Give a draft its name, without waiting. False when its folder was evicted meanwhile."""
        path = draft.with_name(name)
        self._publications += 1
        self._absent.pop(path.parent.name, None)
        with self._renaming:
            replaced_bytes = self._counted_size(path)
            if not self._counted:
                self._published.add(path)
            try:
                new_bytes = draft.stat().st_size
                draft.rename(path)
            except OSError:
                return False
        self.bytes += new_bytes - replaced_bytes
        self._trim_soon()
        return True

    async def evict(self, slug: str) -> None:
        freed = await self._threads.run(self._remove_folder, self._folder(slug))
        self.bytes -= freed

    async def trim(self) -> None:
        """Evict until the cache is below its limit."""
        freed = await self._threads.run(self._trim, int(self._limit_bytes * LOW_WATER))
        self.bytes -= freed

    def _folder(self, slug: str) -> Path:
        return Path(f"{self._home}/{slug[-2:]}/{slug}")  # a third of the time that `/` takes

    # --- counting -------------------------------------------------------------------------------------------------

    async def _count_all(self) -> None:
        found = await self._threads.run(self._count)
        self.bytes += found
        self._counted = True
        self._published.clear()

    def _count(self) -> int:
        """The bytes of what earlier runs left; what this run admits meanwhile is counted when it is published."""
        for entry in self._root.iterdir():
            if entry != self._home and entry.is_dir():
                self._remove_edition(entry)
        self._remove_drafts()
        found = self._until_closing(renditions_below(self._home, passing=OSError))
        return sum(size for _, size, path in found if path not in self._published)

    def _remove_edition(self, edition: Path) -> None:
        for shard in self._until_closing(edition.iterdir()):
            shutil.rmtree(shard, ignore_errors=True)
        with contextlib.suppress(OSError):  # not empty, because it is closing: the next start continues
            edition.rmdir()

    def _remove_drafts(self) -> None:
        """Remove what a crash left half written."""
        for folder, _, names in self._until_closing(os.walk(self._home)):  # unlike rglob, it accepts vanishing folders
            for path in (Path(folder) / name for name in names if name.startswith(".")):
                with contextlib.suppress(OSError):
                    if path.stat().st_mtime < self._started_s:
                        path.unlink()

    def _until_closing(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            if self._closing.is_set():
                return
            yield item

    def _counted_size(self, path: Path) -> int:
        """What a file adds to `bytes`. Not counted yet: none, for too tight a bound does no harm."""
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            return 0
        return size if self._counted or path in self._published else 0

    # --- files ----------------------------------------------------------------------------------------------------

    def _read(self, path: Path) -> tuple[Rendition | None, int, bool]:
        """The rendition, how many bytes went because they were none, and whether the image has a folder."""
        try:
            found = unpacked(path.read_bytes())
        except FileNotFoundError:
            return None, 0, path.parent.exists()
        except OSError:  # a disk that can't read it: it can be made again
            return None, 0, True
        if found is None:
            return None, self._remove_if_possible(path), True
        with contextlib.suppress(OSError):
            os.utime(path)
        return found, 0, True

    def _remove(self, path: Path) -> int:
        """How many of the counted bytes went."""
        with self._renaming:
            size = self._counted_size(path)
            path.unlink(missing_ok=True)
        return size

    def _remove_if_possible(self, path: Path) -> int:
        """The same, where a file that a failing disk keeps may stay, and stays counted."""
        try:
            return self._remove(path)
        except OSError:
            return 0

    def _remove_folder(self, folder: Path) -> int:
        freed = sum(self._remove(path) for _, _, path in renditions_below(folder))
        shutil.rmtree(folder, ignore_errors=True)
        return freed

    # --- trimming -------------------------------------------------------------------------------------------------

    def _trim_soon(self) -> None:
        is_trimming = self._trimming is not None and not self._trimming.done()
        if self._counted and not self._closing.is_set() and self.bytes > self._limit_bytes and not is_trimming:
            self._trimming = asyncio.ensure_future(self.trim())

    def _trim(self, goal_bytes: int) -> int:
        """Evict the longest unused of a sample of shards, again and again; says how many bytes went."""
        freed = 0
        while self.bytes - freed > goal_bytes:
            gone = self._evict_oldest(self.bytes - freed - goal_bytes)
            if not gone:
                break  # closing, or nothing that can be removed
            freed += gone
        return freed

    def _evict_oldest(self, wanted_bytes: int) -> int:
        """At most a quarter of a sample, until `wanted_bytes` went; says how many did."""
        sample = self._sample()
        most, removed, freed = max(1, len(sample) // 4), 0, 0
        for _, _, path in self._until_closing(sample):
            size = self._remove_if_possible(path)
            with contextlib.suppress(OSError):  # not empty yet
                path.parent.rmdir()
            freed, removed = freed + size, removed + bool(size)
            if removed == most or freed >= wanted_bytes:
                break
        return freed

    def _sample(self) -> list[tuple[float, int, Path]]:
        shards = list(self._home.iterdir())
        random.shuffle(shards)
        found: list[tuple[float, int, Path]] = []
        for shard in shards:
            found += renditions_below(shard, passing=OSError)
            if len(found) >= SAMPLE:
                break
        return sorted(found)


def _sizes(folder: Path) -> dict[str, int]:
    found = {}
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):
                    found[entry.name] = entry.stat().st_size - HEADER_BYTES
    return found


def _write_drafts(folder: Path, made: Mapping[str, Rendition]) -> dict[str, Path]:
    drafts: dict[str, Path] = {}
    try:
        for name, rendition in made.items():
            drafts[name] = _write_draft(folder, rendition)
    except OSError:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
        raise
    return drafts


def _write_draft(folder: Path, rendition: Rendition) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{secrets.token_hex(8)}"
    try:
        with draft.open("wb") as file:
            file.write(rendition.header)
            file.write(rendition.data)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def renditions_below(root: Path, *, passing: type[OSError] = FileNotFoundError) -> Iterator[tuple[float, int, Path]]:
    """Time of last use, size and path of each rendition below `root`; drafts are none yet.

    Files whose look-up fails with `passing` are passed over: those that went meanwhile, or all that a disk can't tell.
    """
    for folder, _, names in os.walk(root):
        for name in names:
            if not name.startswith("."):
                path = Path(folder) / name
                with contextlib.suppress(passing):
                    stat = path.stat()
                    yield stat.st_mtime, stat.st_size, path
