"""Single flight: one run for all who ask meanwhile, even if some leave, and however it ends."""

import asyncio
import gc
import weakref

import pytest

from appliance.domain.clients import Clients
from appliance.domain.errors import Stopping
from appliance.shared.single_flight import Flight, SingleFlight


class Work:
    """Work that is held until it is released, and counts its runs."""

    def __init__(self) -> None:
        self.flights: list[Flight] = []
        self.begun = asyncio.Event()
        self.released = asyncio.Event()
        self.fault: Exception | None = None

    async def __call__(self, flight: Flight) -> str:
        self.flights.append(flight)
        self.begun.set()
        await self.released.wait()
        if self.fault is not None:
            raise self.fault
        return f"run {len(self.flights)}"


@pytest.fixture
def work() -> Work:
    return Work()


async def callers(flights: SingleFlight[str, str], work: Work, count: int) -> list["asyncio.Task[str]"]:
    asking = [asyncio.create_task(flights.run("key", work)) for _ in range(count)]
    await work.begun.wait()
    return asking


async def test_callers_who_ask_meanwhile_share_one_run(work: Work) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    asking = await callers(flights, work, 5)
    assert "key" in flights
    work.released.set()
    assert await asyncio.gather(*asking) == ["run 1"] * 5
    assert len(work.flights) == 1


async def test_other_keys_have_runs_of_their_own(work: Work) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    asking = [asyncio.create_task(flights.run(key, work)) for key in ("one", "other")]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (len(flights), len(work.flights)) == (2, 2)
    work.released.set()
    await asyncio.gather(*asking)


async def test_nothing_is_left_once_a_run_has_ended(work: Work) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    work.released.set()
    task = weakref.ref(flights.start("key", work))
    await flights.run("key", work)
    await asyncio.sleep(0)
    gc.collect()
    assert (len(flights), "key" in flights, task()) == (0, False, None)
    assert await flights.run("key", work) == "run 2"


async def test_nobody_joins_a_run_that_has_ended_before_its_callbacks_have_run(work: Work) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    first = flights.start("key", work)
    seen: list[bool] = []
    work.released.set()
    while not first.done():
        await asyncio.sleep(0)
        if first.done():
            seen.append("key" in flights)
    assert seen == [False]
    assert await flights.run("key", work) == "run 2"


@pytest.mark.parametrize("leaving", [1, 3])
async def test_callers_who_are_cancelled_end_nothing(work: Work, leaving: int) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    asking = await callers(flights, work, 3)
    for caller in asking[:leaving]:
        caller.cancel()
    ended = await asyncio.wait(asking[:leaving])
    assert all(caller.cancelled() for caller in ended[0])
    late = asyncio.create_task(flights.run("key", work))
    await asyncio.sleep(0)
    work.released.set()
    assert await asyncio.gather(*asking[leaving:], late) == ["run 1"] * (4 - leaving)


async def test_a_fault_reaches_every_caller_and_is_not_kept(work: Work) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    work.fault = ValueError("broken")
    asking = await callers(flights, work, 3)
    work.released.set()
    assert await asyncio.gather(*asking, return_exceptions=True) == [work.fault] * 3
    work.fault = None
    assert await flights.run("key", work) == "run 2"


async def test_an_error_without_a_waiting_caller_is_not_reported_as_unhandled(work: Work) -> None:
    unhandled: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    flights: SingleFlight[str, str] = SingleFlight()
    work.fault = ValueError("broken")
    work.released.set()
    task = flights.start("key", work)
    await asyncio.wait([task])
    await asyncio.sleep(0)
    del task
    assert unhandled == []


async def test_closing_ends_runs_and_tells_their_callers(work: Work) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    asking = await callers(flights, work, 2)
    await flights.close()
    assert [type(end) for end in await asyncio.gather(*asking, return_exceptions=True)] == [Stopping] * 2
    with pytest.raises(Stopping):
        await flights.run("key", work)
    assert len(work.flights) == 1


async def test_a_caller_who_is_cancelled_while_closing_stays_cancelled(work: Work) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    [caller] = await callers(flights, work, 1)
    caller.cancel()
    await flights.close()
    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_a_caller_in_a_hurry_leaves_alone(work: Work) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    [patient] = await callers(flights, work, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await flights.run("key", work)
    work.released.set()
    assert await patient == "run 1"


async def test_a_run_knows_all_who_wait_for_it_and_who_come_later(work: Work) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    first = Clients("first")
    task = flights.start("key", work, first)
    await asyncio.sleep(0)
    flights.start("key", work, Clients("second"))
    assert flights.join("key", Clients("third")) is task
    first.join("a friend of the first")
    assert list(work.flights[0].clients) == ["first", "second", "third", "a friend of the first"]
    work.released.set()
    await task
    assert flights.join("key", Clients("late")) is None


async def test_a_run_that_is_forgotten_answers_its_callers_and_no_later_ones(work: Work) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    [before] = await callers(flights, work, 1)
    flights.forget("key")
    assert not work.flights[0].is_current
    after = asyncio.create_task(flights.run("key", work))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [flight.is_current for flight in work.flights] == [False, True]
    work.released.set()
    assert len(await asyncio.gather(before, after)) == 2
    await asyncio.sleep(0)
    assert len(flights) == 0


async def test_closing_ends_what_was_forgotten_too(work: Work) -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    [caller] = await callers(flights, work, 1)
    flights.forget("key")
    await flights.close()
    with pytest.raises(Stopping):
        await caller
