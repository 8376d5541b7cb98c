"""Whose turn it is before the workers: decided by the order in which slots are given, on a clock that tests move."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest

from appliance.domain.clients import Clients
from appliance.domain.errors import Busy
from appliance.domain.renditions import Priority
from appliance.workers.lease import Lease
from appliance.workers.work_queue import WorkQueue


class Bench:
    """A lane whose jobs take as long as they are said to, and the clients in the order in which they were served."""

    def __init__(self, slots: int = 1, max_waiting: int = 1000, spare: int | None = None) -> None:
        self.now_s = 0.0
        self.is_warm = True
        self.when_warm: Callable[[], None] | None = None
        self.lane = WorkQueue(list(range(slots)), max_waiting, clock=lambda: self.now_s, spare=spare, warm=self._warm)
        self.served: list[str] = []
        self.refused: Counter[str] = Counter()
        self._open = asyncio.Event()

    def ask(
        self, name: str, seconds: float = 1.0, *, priority: Priority = Priority.VIEW, clients: Clients | None = None
    ) -> tuple["asyncio.Task[None]", Lease[int]]:
        """A job of the client's; it runs when its turn comes, and ends when all have been asked for."""
        place = Lease(self.lane, priority, clients or Clients(name), int)
        return asyncio.create_task(self._work(name, seconds, place)), place

    async def _work(self, name: str, seconds: float, place: Lease[int]) -> None:
        try:
            async with place:
                self.served.append(name)
                await self._open.wait()
                self.now_s += seconds
        except Busy:
            self.refused[name] += 1

    def _warm(self, _spare: int, when_warm: Callable[[], None]) -> bool:
        self.when_warm = when_warm
        return self.is_warm

    def open(self) -> None:
        """Let jobs end as soon as they have begun."""
        self._open.set()

    async def flood(self, name: str, count: int, seconds: float = 1.0) -> list["asyncio.Task[None]"]:
        tasks = [self.ask(name, seconds)[0] for _ in range(count)]
        await settled()
        return tasks

    async def done(self) -> None:
        """Every job to its end."""
        await settled()
        self.open()
        async with asyncio.timeout(20):
            while self.lane.busy or self.lane.waiting:  # noqa: ASYNC110 - turns of the loop are what moves it
                await asyncio.sleep(0)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_newcomer_is_served_after_one_job_of_a_flood() -> None:
    bench = Bench()
    await bench.flood("flood", 400)
    bench.ask("newcomer")
    await bench.done()
    assert bench.served.index("newcomer") == 1
    assert len(bench.served) == 401


@pytest.mark.parametrize("slots", [2, 4])
async def test_with_several_slots_a_newcomer_gets_the_first_that_is_free(slots: int) -> None:
    bench = Bench(slots)
    await bench.flood("flood", 400)
    bench.ask("newcomer")
    await bench.done()
    assert bench.served.index("newcomer") == slots


async def test_a_client_that_floods_for_long_owes_nothing_to_one_that_comes_later() -> None:
    bench = Bench()
    await bench.flood("first", 40)
    bench.open()
    while bench.served.count("first") < 20:  # noqa: ASYNC110 - turns of the loop are what moves it
        await asyncio.sleep(0)
    served = len(bench.served)
    await bench.flood("second", 20)
    await bench.done()
    both = Counter(bench.served[served : served + 20])
    assert abs(both["first"] - both["second"]) <= 2


async def test_clients_share_the_time_not_the_number_of_jobs() -> None:
    bench = Bench()
    await bench.flood("dear", 50, seconds=10)
    await bench.flood("cheap", 200, seconds=1)
    await bench.done()
    until_last_cheap = bench.served[: len(bench.served) - bench.served[::-1].index("cheap")]
    assert until_last_cheap.count("cheap") == 200
    assert 19 <= until_last_cheap.count("dear") <= 21


async def test_a_job_that_still_runs_is_charged_already() -> None:
    bench = Bench(slots=2)
    async with Lease(bench.lane, Priority.VIEW, Clients("dear"), lambda slot: slot):
        bench.now_s += 100
        await bench.flood("cheap", 1)
        bench.ask("dear")
        await bench.flood("cheap", 2)
        bench.open()
        await settled()
    await bench.done()
    assert bench.served == ["cheap", "cheap", "cheap", "dear"]


async def test_new_clients_without_end_do_not_keep_one_waiting_that_was_served_before() -> None:
    bench = Bench()
    await bench.flood("regular", 2)
    for number in range(50):
        bench.ask(f"passer-by {number}")
    await settled()
    bench.open()
    for number in range(50, 200):
        bench.ask(f"passer-by {number}")
        await asyncio.sleep(0)
    await bench.done()
    second = [at for at, name in enumerate(bench.served) if name == "regular"][1]
    assert second < 120


async def test_views_go_before_prewarming_whoever_wants_them() -> None:
    bench = Bench()
    await bench.flood("flood", 5)
    bench.ask("other", priority=Priority.PREWARM)
    await bench.done()
    assert bench.served[-1] == "other"


async def test_work_that_a_second_client_wants_too_is_done_in_the_turn_of_the_first_to_have_one() -> None:
    bench = Bench()
    await bench.flood("flood", 20)
    shared = Clients("flood")
    bench.ask("shared", clients=shared)
    await settled()
    shared.join("newcomer")
    await bench.done()
    assert bench.served.index("shared") == 1


async def test_hurried_work_takes_its_clients_along() -> None:
    bench = Bench()
    await bench.flood("flood", 3)
    clients = Clients("other")
    _, place = bench.ask("other", priority=Priority.PYRAMID, clients=clients)
    await settled()
    place.promote(Priority.VIEW)
    clients.join("third")
    await bench.done()
    assert bench.served.index("other") == 1
    assert bench.lane.waiting == 0


async def test_a_full_queue_makes_room_for_a_newcomer_at_the_cost_of_the_client_who_fills_it() -> None:
    bench = Bench(max_waiting=10)
    await bench.flood("flood", 30)
    assert bench.refused == {"flood": 19}
    await bench.flood("newcomer", 2)
    assert bench.refused == {"flood": 21}
    assert bench.lane.waiting == 10
    await bench.done()
    assert Counter(bench.served) == {"flood": 9, "newcomer": 2}


async def test_a_full_queue_that_many_clients_share_refuses_the_next() -> None:
    bench = Bench(max_waiting=10)
    for number in range(12):
        bench.ask(f"client {number}")
    await settled()
    assert bench.refused == {"client 11": 1}
    await bench.done()


async def test_work_that_several_clients_with_many_waiting_share_makes_room_for_a_newcomer() -> None:
    bench = Bench(max_waiting=6)
    for _ in range(7):
        bench.ask("shared", clients=Clients("one", "two"))
    await settled()
    await bench.flood("newcomer", 1)
    assert bench.refused == {"shared": 1}
    await bench.done()
    assert Counter(bench.served) == {"shared": 6, "newcomer": 1}


async def test_work_that_is_shared_by_a_client_with_little_waiting_makes_no_room_for_others() -> None:
    bench = Bench(max_waiting=3)
    await bench.flood("flood", 3)
    bench.ask("shared", clients=Clients("flood", "other"))
    await settled()
    await bench.flood("newcomer", 1)
    assert bench.refused == {"flood": 1}
    await bench.flood("late", 1)
    await bench.done()
    assert bench.refused == {"flood": 2}
    assert bench.served.count("shared") == 1


async def test_a_client_with_most_whose_work_must_stay_does_not_shield_the_next() -> None:
    bench = Bench(max_waiting=5)
    await bench.flood("first", 1)
    for number in range(3):
        bench.ask("shared", clients=Clients("most", f"helper {number}"))
    await bench.flood("second", 2)
    await bench.flood("newcomer", 1)
    assert bench.refused == {"second": 1}
    await bench.done()


async def test_the_one_with_least_counts_of_those_who_want_the_same_work() -> None:
    bench = Bench(max_waiting=6)
    await bench.flood("flood", 7)
    bench.ask("shared", clients=Clients("flood", "newcomer"))
    await bench.done()
    assert bench.refused == {"flood": 1}
    assert bench.served.count("shared") == 1


async def test_a_full_queue_keeps_nobody_from_the_spare_slot() -> None:
    bench = Bench(slots=2, max_waiting=2, spare=99)
    for _ in range(2):
        for client in ("one", "two"):
            bench.ask(client)
    await bench.flood("newcomer", 1)
    assert bench.served == ["one", "two", "newcomer"]
    assert not bench.refused
    await bench.done()


async def test_those_who_go_away_leave_nothing_behind() -> None:
    bench = Bench()
    tasks = await bench.flood("flood", 50)
    shared = Clients("flood", "other")
    leaving, _ = bench.ask("shared", clients=shared)
    await settled()
    for task in (*tasks[1::2], leaving):
        task.cancel()
    await settled()
    assert bench.lane.waiting == 24
    shared.join("late")
    await bench.done()
    assert len(bench.served) == 25
    assert (bench.lane.waiting, bench.lane.remembered) == (0, 0)
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


async def test_the_spare_slot_is_for_a_client_who_has_none_and_keeps_it_from_waiting() -> None:
    bench = Bench(slots=2, spare=99)
    await bench.flood("flood", 20)
    assert bench.served == ["flood", "flood"]
    await bench.flood("newcomer", 3)
    assert bench.served == ["flood", "flood", "newcomer"]
    await bench.done()
    assert Counter(bench.served) == {"flood": 20, "newcomer": 3}
    assert (bench.lane.busy, bench.lane.waiting) == (0, 0)


async def test_the_spare_slot_goes_to_views_alone() -> None:
    bench = Bench(spare=99)
    await bench.flood("flood", 2)
    _, place = bench.ask("other", priority=Priority.PREWARM)
    await settled()
    assert bench.served == ["flood"]
    place.promote(Priority.VIEW)
    await settled()
    assert bench.served == ["flood", "other"]
    await bench.done()


async def test_one_who_wants_what_a_flood_waits_for_has_it_made_in_the_spare_slot() -> None:
    bench = Bench(spare=99)
    await bench.flood("flood", 2)
    shared = Clients("flood")
    bench.ask("shared", clients=shared)
    await settled()
    shared.join("newcomer")
    await settled()
    assert bench.served == ["flood", "shared"]
    await bench.done()


async def test_a_spare_slot_that_is_not_warm_yet_keeps_nobody_from_the_others() -> None:
    bench = Bench(spare=99)
    bench.is_warm = False
    await bench.flood("flood", 5)
    bench.ask("newcomer")
    await bench.done()
    assert bench.served.index("newcomer") == 1


async def test_a_spare_slot_that_gets_warm_goes_to_one_who_waits_already() -> None:
    bench = Bench(spare=99)
    bench.is_warm = False
    await bench.flood("flood", 5)
    await bench.flood("newcomer", 1)
    assert bench.served == ["flood"]
    bench.is_warm = True
    assert bench.when_warm is not None
    bench.when_warm()
    await settled()
    assert bench.served == ["flood", "newcomer"]
    await bench.done()


async def test_of_newcomers_the_first_is_served_first_whatever_its_name() -> None:
    bench = Bench()
    names = ["running", "203.0.113.9", "2.0.0.1", "10.0.0.1", "127.0.0.1"]
    for name in names:
        bench.ask(name)
    await bench.done()
    assert bench.served == names
