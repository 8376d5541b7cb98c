"""The lane in which passphrases are hashed: bounded, in turn for networks, and never lost by callers who leave."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from appliance.domain.errors import Busy
from appliance.locks.lane import HashingLane
from appliance.shared.client_limiter import MIN_SHARE

MAX_CALLS = 9


class Held:
    """A lane of one thread whose first call runs until it is let go. `order` has the calls that ran."""

    def __init__(self) -> None:
        self.lane = HashingLane("passphrases are being checked", threads=1, max_calls=MAX_CALLS)
        self.order: list[str] = []
        self._gate = threading.Event()

    def call(self, network: str, name: str | None = None) -> asyncio.Task[None]:
        return asyncio.create_task(self.lane.run(network, self._note, name or network))

    def _note(self, name: str) -> None:
        self._gate.wait()
        self.order.append(name)

    def let_go(self) -> None:
        self._gate.set()


@pytest.fixture
async def held() -> AsyncIterator[Held]:
    held = Held()
    yield held
    held.let_go()
    await held.lane.close()


async def waiting(*calls: asyncio.Task[None]) -> None:
    """Once each of them has run to where it waits."""
    await asyncio.sleep(0)
    assert not any(call.done() for call in calls)


async def test_networks_are_served_in_turn(held: Held) -> None:
    calls = [held.call("a", f"a{number}") for number in range(3)]
    calls += [held.call("b", "b0"), held.call("c", "c0"), held.call("b", "b1")]
    await waiting(*calls)
    held.let_go()
    await asyncio.gather(*calls)
    assert held.order == ["a0", "a1", "b0", "c0", "a2", "b1"]
    assert len(held.lane) == 0


async def test_one_network_has_a_few_places_only(held: Held) -> None:
    calls = [held.call("a") for _ in range(MIN_SHARE)]
    await waiting(*calls)
    with pytest.raises(Busy) as refused:
        await held.lane.run("a", held._note, "a")
    assert refused.value.limit == MIN_SHARE
    with pytest.raises(Busy):
        held.lane.require_room("a")
    held.lane.require_room("b")


async def test_a_full_lane_makes_room_for_a_network_that_has_fewer(held: Held) -> None:
    calls = [held.call("a") for _ in range(MIN_SHARE)]
    calls += [held.call("b")]
    await waiting(*calls)
    newcomer = held.call("c")
    await waiting(newcomer)
    with pytest.raises(Busy) as refused:
        await calls[MIN_SHARE - 1]
    assert refused.value.limit == MAX_CALLS
    others = [held.call(network) for network in "defgh"]
    await waiting(*others)
    with pytest.raises(Busy):
        await held.lane.run("i", held._note, "i")  # nobody has more than one place more than this
    held.let_go()
    await asyncio.gather(*others, newcomer, *calls[:2])
    assert held.order == ["a", "a", "b", "c", "d", "e", "f", "g", "h"]


async def test_who_leaves_gives_the_place_back(held: Held) -> None:
    running, left, stayed = held.call("a"), held.call("b"), held.call("c")
    await waiting(running, left, stayed)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    assert len(held.lane) == 2
    running.cancel()  # its call keeps the thread, so that no flood of callers who leave piles up behind it
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(held.lane) == 2
    held.let_go()
    await stayed
    assert held.order == ["a", "c"]
    await held.call("d")
    assert len(held.lane) == 0
