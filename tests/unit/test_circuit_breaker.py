"""The circuit breaker: who passes while something is away, and how it finds out that it serves again."""

import asyncio

import pytest

from appliance.shared.circuit_breaker import CircuitBreaker, State


class Target:
    """Something that answers probes, or not."""

    def __init__(self) -> None:
        self.answers = False
        self.probes = 0
        self.probed = asyncio.Event()

    async def probe(self) -> bool:
        self.probes += 1
        self.probed.set()
        return self.answers


@pytest.fixture
def target() -> Target:
    return Target()


@pytest.fixture
def breaker(target: Target) -> CircuitBreaker:
    return CircuitBreaker(target.probe, first_pause_s=0.001, max_pause_s=0.004)


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_calls_pass_at_once_while_it_is_closed(breaker: CircuitBreaker, target: Target) -> None:
    async with breaker.permit(alone=True), breaker.permit(alone=True), breaker.permit(alone=False):
        assert breaker.state is State.CLOSED
    assert target.probes == 0


async def test_no_call_passes_while_probes_fail(breaker: CircuitBreaker, target: Target) -> None:
    passed: list[int] = []

    async def call(number: int) -> None:
        async with breaker.permit(alone=True):
            passed.append(number)

    breaker.trip()
    calls = [asyncio.create_task(call(number)) for number in range(3)]
    async with asyncio.timeout(10):
        while target.probes < 5:
            target.probed.clear()
            await target.probed.wait()
    assert (breaker.state, passed) == (State.OPEN, [])
    breaker.reset()
    await asyncio.gather(*calls)
    assert sorted(passed) == [0, 1, 2]


async def test_one_call_after_the_other_is_tried_while_it_answers(breaker: CircuitBreaker, target: Target) -> None:
    at_once, peak, states = 0, 0, set()

    async def call() -> None:
        nonlocal at_once, peak
        async with breaker.permit(alone=True):
            at_once += 1
            peak = max(peak, at_once)
            states.add(breaker.state)
            await turns()
            at_once -= 1

    breaker.trip()
    target.answers = True
    async with asyncio.timeout(10):
        await asyncio.gather(*(call() for _ in range(4)))
    assert (peak, states) == (1, {State.HALF_OPEN})
    assert breaker.state is State.OPEN
    assert target.probes == 4


async def test_a_call_that_may_have_company_lets_the_next_one_pass(breaker: CircuitBreaker, target: Target) -> None:
    breaker.trip()
    target.answers = True
    async with asyncio.timeout(10), breaker.permit(alone=False), breaker.permit(alone=True):
        assert breaker.state is State.HALF_OPEN


async def test_a_call_that_shows_that_it_serves_lets_all_others_pass(breaker: CircuitBreaker, target: Target) -> None:
    breaker.trip()
    target.answers = True
    async with asyncio.timeout(10), breaker.permit(alone=True):
        breaker.reset()
        async with breaker.permit(alone=True):
            assert breaker.state is State.CLOSED


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_call_that_fails_otherwise_ends_the_trial(
    breaker: CircuitBreaker, target: Target, cancelled: bool
) -> None:
    breaker.trip()
    target.answers = True
    with pytest.raises(asyncio.CancelledError if cancelled else ValueError):
        async with breaker.permit(alone=True):
            raise asyncio.CancelledError if cancelled else ValueError
    states = [breaker.state]
    async with asyncio.timeout(10), breaker.permit(alone=True):
        states.append(breaker.state)
    assert states == [State.OPEN, State.HALF_OPEN]


async def test_a_caller_who_is_cancelled_while_probing_leaves_it_to_the_next(
    breaker: CircuitBreaker, target: Target
) -> None:
    async def call() -> str:
        async with breaker.permit(alone=True):
            return "passed"

    breaker.trip()
    first, second = asyncio.create_task(call()), asyncio.create_task(call())
    await target.probed.wait()
    first.cancel()
    target.answers = True
    async with asyncio.timeout(10):
        assert await second == "passed"


async def test_probing_is_left_to_a_caller_who_waits(breaker: CircuitBreaker, target: Target) -> None:
    breaker.trip()
    await breaker.probe()
    assert target.probes == 1
    target.answers = True
    async with asyncio.timeout(10), breaker.permit(alone=True):
        probes = target.probes
        await breaker.probe()
        assert target.probes == probes


async def test_listeners_hear_of_each_change_once(breaker: CircuitBreaker) -> None:
    heard: list[State] = []
    breaker.subscribe(heard.append)
    breaker.reset()
    for _ in range(2):
        breaker.trip()
    for _ in range(2):
        breaker.reset()
    assert heard == [State.OPEN, State.CLOSED]
