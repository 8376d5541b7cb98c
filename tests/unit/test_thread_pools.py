"""Threads of one's own: who waits for whom."""

import asyncio
import threading

import pytest

from appliance.shared.threads import LARGE_BYTES, PAGE, Stop, Threads


async def test_calls_on_small_files_do_not_wait_for_those_on_large_ones() -> None:
    threads, goes_on = Threads("test", 1, large_limit=1), threading.Event()
    large = [asyncio.ensure_future(threads.run_through(LARGE_BYTES + 1, goes_on.wait)) for _ in range(3)]
    async with asyncio.timeout(20):
        assert await threads.run_through(LARGE_BYTES, lambda: "small") == "small"
        assert await threads.run(lambda: "any") == "any"
    assert not any(call.done() for call in large)
    goes_on.set()
    await asyncio.gather(*large)
    await threads.close()


class Call:
    """A blocking call that runs until it is released or has to stop."""

    def __init__(self) -> None:
        self.began, self.released, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.heeds_stop = True

    def __call__(self, stop: Stop) -> str:
        self.began.set()
        try:
            while not self.released.wait(0.001):
                if self.heeds_stop:
                    stop.check()
        finally:
            self.ended.set()
        return "a result"


async def begun(threads: Threads, call: Call, discarded: list[str]) -> "asyncio.Task[str]":
    task = asyncio.create_task(threads.run_stoppable(call, discard=discarded.append))
    await asyncio.to_thread(call.began.wait, 20)
    return task


async def test_a_cancelled_call_stops_before_its_caller_continues() -> None:
    threads, call, discarded = Threads("test", 1), Call(), list[str]()
    task = await begun(threads, call, discarded)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert call.ended.is_set()
    assert discarded == []
    await threads.close()


async def test_a_result_that_comes_after_the_cancellation_is_discarded() -> None:
    threads, call, discarded = Threads("test", 1), Call(), list[str]()
    call.heeds_stop = False
    task = await begun(threads, call, discarded)
    for _ in range(2):  # a second cancellation changes nothing
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    call.released.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert discarded == ["a result"]
    await threads.close()


async def test_a_call_that_waits_for_a_thread_never_begins_once_it_is_cancelled() -> None:
    threads, running, waiting = Threads("test", 1), Call(), Call()
    first = await begun(threads, running, [])
    second = asyncio.create_task(threads.run_stoppable(waiting))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    running.released.set()
    assert await first == "a result"
    await threads.close()
    assert not waiting.began.is_set()


async def test_a_blocking_iterator_is_read_to_its_end() -> None:
    threads = Threads("test", 1)
    count = 2 * PAGE + 1
    assert [entry async for entry in threads.pages(iter(range(count)))] == list(range(count))
    await threads.close()
