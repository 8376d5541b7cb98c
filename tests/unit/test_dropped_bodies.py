"""How much of what nobody wants is read in one turn of the event loop."""

import asyncio
from functools import partial

from appliance.http.transport.dropped_bodies import MAX_READS_PER_TURN, DroppedBodies


async def test_a_few_are_read_in_each_turn_in_the_order_in_which_they_asked() -> None:
    dropped, read = DroppedBodies(), list[int]()
    for number in range(3 * MAX_READS_PER_TURN + 1):
        dropped.read_on(partial(read.append, number))
    for turn in range(1, 4):
        assert read == list(range(turn * MAX_READS_PER_TURN))
        await asyncio.sleep(0)
    dropped.read_on(partial(read.append, len(read)))
    assert read == list(range(3 * MAX_READS_PER_TURN + 2))
