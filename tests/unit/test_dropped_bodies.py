"""How much of what nobody wants is read in one turn of the event loop, and whose comes first."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from appliance.http.transport import dropped_bodies
from appliance.http.transport.dropped_bodies import HALF_LIFE_S, MAX_READS_PER_TURN, MUCH_READS, DroppedBodies
from tests.support.host import ManualClock


async def test_a_few_are_read_in_each_turn_in_the_order_in_which_they_asked() -> None:
    dropped, read = DroppedBodies(), list[int]()
    for number in range(3 * MAX_READS_PER_TURN + 1):
        dropped.read_on("flood", partial(read.append, number))
    for turn in range(1, 4):
        assert read == list(range(turn * MAX_READS_PER_TURN))
        await asyncio.sleep(0)
    dropped.read_on("flood", partial(read.append, len(read)))
    assert read == list(range(3 * MAX_READS_PER_TURN + 2))


def ask(dropped: DroppedBodies, client: str, times: int = 1, then: Callable[[], None] = lambda: None) -> None:
    for _ in range(times):
        dropped.read_on(client, then)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_person_comes_before_a_flood() -> None:
    dropped, read = DroppedBodies(), list[str]()
    ask(dropped, "flood", MUCH_READS)
    await turns(MUCH_READS)
    ask(dropped, "flood", 3 * MAX_READS_PER_TURN, lambda: read.append("flood"))
    ask(dropped, "phone", 1, lambda: read.append("phone"))
    await turns(1)
    assert read[MAX_READS_PER_TURN] == "phone"


async def test_people_come_in_turn_however_often_they_were_refused_lately() -> None:
    dropped, read = DroppedBodies(), list[str]()
    ask(dropped, "often", MUCH_READS // 2)
    await turns(MUCH_READS)
    ask(dropped, "others", MAX_READS_PER_TURN)
    for client in ("often", "never"):
        ask(dropped, client, 1, partial(read.append, client))
    await turns(1)
    assert read == ["often", "never"]


async def test_what_was_dropped_long_ago_hardly_counts() -> None:
    clock = ManualClock()
    dropped, read = DroppedBodies(clock), list[str]()
    ask(dropped, "flood", 2 * MUCH_READS)
    await turns(MUCH_READS)
    clock.forward(2 * HALF_LIFE_S)
    ask(dropped, "others", MAX_READS_PER_TURN)
    for client in ("flood", "phone"):
        ask(dropped, client, 1, partial(read.append, client))
    await turns(1)
    assert read == ["flood", "phone"]


async def test_what_is_remembered_is_bounded_and_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropped_bodies, "MAX_CLIENTS", 20)
    dropped, read = DroppedBodies(), list[int]()
    for number in range(100):
        dropped.read_on(f"address {number % 50}", partial(read.append, number))
    for _ in range(10):
        await asyncio.sleep(0)
    assert sorted(read) == list(range(100))
    assert len(dropped._lately) <= 20
