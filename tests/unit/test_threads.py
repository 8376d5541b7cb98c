"""Threads of one's own: who waits for whom."""

import asyncio
import threading

from appliance.threads import GIANT_BYTES, Threads


async def test_small_calls_do_not_wait_for_those_that_go_through_giants() -> None:
    threads, goes_on = Threads("test", 1, giants=1), threading.Event()
    giants = [asyncio.ensure_future(threads.run_through(GIANT_BYTES + 1, goes_on.wait)) for _ in range(3)]
    async with asyncio.timeout(20):
        assert await threads.run_through(GIANT_BYTES, lambda: "small") == "small"
        assert await threads.run(lambda: "any") == "any"
    assert not any(giant.done() for giant in giants)
    goes_on.set()
    await asyncio.gather(*giants)
    await threads.close()
