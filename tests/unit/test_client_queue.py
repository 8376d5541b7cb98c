"""Pieces of many clients, served in turn."""

import asyncio

from appliance.lifecycle.client_queue import ClientQueue


async def test_a_newcomer_is_served_after_one_piece_of_a_flood() -> None:
    queue = ClientQueue[int]()
    for piece in range(100):
        queue.put_nowait(("flood", piece))
    assert await queue.get() == ("flood", 0)
    queue.put_nowait(("newcomer", 0))
    queue.put_nowait(("newcomer", 1))
    served = [await queue.get() for _ in range(queue.qsize())]
    assert served[:4] == [("flood", 1), ("newcomer", 0), ("flood", 2), ("newcomer", 1)]
    assert served[4:] == [("flood", piece) for piece in range(3, 100)]
    assert queue.empty()


async def test_one_who_waits_for_a_piece_is_woken_by_it() -> None:
    queue = ClientQueue[int]()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.put_nowait(("any", 7))
    assert await waiting == ("any", 7)
