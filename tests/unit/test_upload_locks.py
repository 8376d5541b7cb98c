"""Upload locks: one request at a time works on an upload, and the next one that asks takes over."""

import asyncio

import pytest

from appliance.domain.errors import UploadLocked
from appliance.resumable.upload_lock import UploadLock, UploadLocks
from tests.support.waiting import until


async def receive(lock: UploadLock, begun: asyncio.Event, saved: list[str]) -> None:
    """Receives without end, and saves what came when it is interrupted."""
    async with lock.held():
        begun.set()
        try:
            async with lock.receiving():
                await asyncio.get_running_loop().create_future()
        finally:
            saved.append("bytes")


async def test_a_request_that_asks_has_the_holder_save_and_stop() -> None:
    lock, begun, saved = UploadLock(), asyncio.Event(), list[str]()
    receiving = asyncio.create_task(receive(lock, begun, saved))
    await begun.wait()
    async with asyncio.timeout(5), lock.held():
        assert saved == ["bytes"]
    with pytest.raises(UploadLocked):
        await receiving
    assert not lock.is_in_use


async def test_a_lock_that_is_not_released_in_time_is_an_error_and_stays_with_its_holder() -> None:
    lock = UploadLock(wait_s=0)
    async with lock.held():
        with pytest.raises(UploadLocked):
            async with lock.held():
                pytest.fail("two requests hold the lock")
        assert lock.is_in_use
    async with asyncio.timeout(5), lock.held():
        assert lock.waiting == 0


async def test_work_that_is_not_receiving_is_not_interrupted() -> None:
    lock, goes_on, order = UploadLock(), asyncio.Event(), list[str]()

    async def work() -> None:
        async with lock.held():
            await goes_on.wait()
            order.append("first")

    first = asyncio.create_task(work())
    await until(lambda: lock.is_in_use)
    goes_on.set()
    async with asyncio.timeout(5), lock.held():
        order.append("second")
    await first
    assert order == ["first", "second"]


async def test_stopping_interrupts_every_request_that_receives() -> None:
    locks, saved = UploadLocks(), list[str]()
    begun = [asyncio.Event(), asyncio.Event()]
    tasks = [
        asyncio.create_task(receive(locks.of(name), event, saved)) for name, event in zip("ab", begun, strict=True)
    ]
    for event in begun:
        await event.wait()
    locks.request_release_all()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends] == [UploadLocked, UploadLocked]
    assert saved == ["bytes", "bytes"]


async def test_the_lock_that_is_idle_longest_is_dropped_and_none_that_is_in_use() -> None:
    locks = UploadLocks(max_idle=2)
    busy, idle = locks.of("busy"), locks.of("idle")
    async with busy.held():
        newest = locks.of("newest")
        assert locks.of("busy") is busy
        assert locks.of("newest") is newest
    assert locks.of("idle") is not idle


async def test_a_lock_in_use_is_not_dropped_with_its_upload() -> None:
    locks = UploadLocks()
    lock = locks.of("upload")
    async with lock.held():
        locks.drop("upload")
        assert locks.of("upload") is lock
    locks.drop("upload")
    assert locks.of("upload") is not lock
