"""The cache's long walks of its disk: they end when it closes, and a disk that fails neither ends nor prolongs them."""

import asyncio
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.cache import Cache, Rendition, disk
from tests.support.spool import slug

KB = 1000


async def opened(root: Path, *, disk: int = 100 * KB) -> Cache:
    cache = Cache(root, edition="1", memory_bytes=0, disk_bytes=disk)
    await cache.start()
    return cache


async def counted(cache: Cache) -> Cache:
    """The same cache, once it knows what its disk holds."""
    await cache.settle()
    return cache


async def admit(cache: Cache, number: int) -> None:
    ticket = cache.begin(slug(number))
    assert await cache.admit(ticket, "small.jpg", Rendition.of(b"pixels"))
    cache.end(ticket)


async def overfull(root: Path, count: int) -> Cache:
    """A cache whose disk holds so many renditions of an earlier run, and may hold none."""
    earlier = await opened(root)
    for number in range(count):
        await admit(earlier, number)
    await earlier.close()
    return await counted(await opened(root, disk=0))


def stored(root: Path) -> set[str]:
    """Every file of the cache by `slug/name`."""
    return {f"{path.parent.name}/{path.name}" for path in root.rglob("*") if path.is_file()}


def disk_use(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


class SlowWalk:
    """Stands where the disk is walked: the first rendition comes at once, each other only when somebody lets it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._real = disk.renditions_below
        self.walking, self.go_on = threading.Event(), threading.Event()
        self.seen = 0
        patch.setattr(disk, "renditions_below", self)

    def __call__(self, root: Path, **more: Any) -> Iterator[tuple[float, int, Path]]:
        for found in self._real(root, **more):
            self.seen += 1
            self.walking.set()
            yield found
            self.go_on.wait(20)


async def test_closing_does_not_wait_for_the_whole_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await opened(tmp_path)
    for number in range(20):
        await admit(first, number)
    await first.close()
    walk = SlowWalk(monkeypatch)
    again = await opened(tmp_path)
    await asyncio.to_thread(walk.walking.wait, 20)
    closing = asyncio.create_task(again.close())
    await asyncio.sleep(0)
    walk.go_on.set()
    await closing
    assert walk.seen <= 2


async def test_closing_does_not_wait_for_a_whole_trim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = await overfull(tmp_path, 40)
    walk = SlowWalk(monkeypatch)
    trimming = asyncio.create_task(cache.trim())
    await asyncio.to_thread(walk.walking.wait, 20)
    closing = asyncio.create_task(cache.close())
    await asyncio.sleep(0)
    walk.go_on.set()
    await asyncio.gather(trimming, closing)
    assert len(stored(tmp_path)) == 40


async def test_a_file_that_can_not_be_removed_neither_ends_trimming_nor_makes_it_endless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = await overfull(tmp_path, 5)
    unlink = Path.unlink

    def failing(path: Path, missing_ok: bool = False) -> None:
        if path.parent.name == slug(0):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", failing)
    async with asyncio.timeout(20):
        await cache.trim()
    assert stored(tmp_path) == {f"{slug(0)}/small.jpg"}
    assert cache.disk_bytes == disk_use(tmp_path)
    with pytest.raises(OSError, match="Input/output"):
        await cache.evict(slug(0))  # who erases an image has to know
    await cache.close()
