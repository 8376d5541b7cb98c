"""A host that has too much to do: which views are refused, by how long they would wait, on a clock that tests move."""

import asyncio

import pytest

from appliance.domain.clients import Clients
from appliance.domain.errors import Busy
from appliance.domain.renditions import Priority
from appliance.workers.lease import Lease
from appliance.workers.work_queue import WorkQueue

MAX_WAIT_S = 2.0


class Crowd:
    """Clients before two workers whose jobs take 0.1 s, all held until they are let go."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.shed = 0
        self.queue = WorkQueue(
            [1, 2], 1000, clock=lambda: self.now_s, max_wait_s=MAX_WAIT_S, on_refusal=self._count_refusal
        )
        self.tasks: list[asyncio.Task[None]] = []
        self.goes_on = asyncio.Event()

    def _count_refusal(self) -> None:
        self.shed += 1

    async def measure(self, job_s: float = 0.1) -> None:
        """Let the queue learn how long jobs take."""
        for _ in range(100):
            await self.measure_one(job_s)

    async def measure_one(self, job_s: float) -> None:
        async with self._lease("early"):
            self.now_s += job_s

    async def ask(self, *clients: str, priority: Priority = Priority.VIEW) -> list[Busy]:
        """A view for each of the clients; the refusals."""
        asked = [asyncio.create_task(self.wait(self._lease(client, priority))) for client in clients]
        for _ in range(3):
            await asyncio.sleep(0)
        self.tasks += [task for task in asked if not task.done()]
        return [task.exception() for task in asked if task.done()]  # type: ignore[misc]

    async def end(self) -> None:
        self.goes_on.set()
        await asyncio.gather(*self.tasks)

    def _lease(self, client: str, priority: Priority = Priority.VIEW) -> Lease[int]:
        return Lease(self.queue, priority, Clients(client), int)

    async def wait(self, lease: Lease[int]) -> None:
        async with lease:
            await self.goes_on.wait()


@pytest.fixture
async def crowd() -> Crowd:
    """Both workers are in use."""
    crowd = Crowd()
    await crowd.measure()
    assert await crowd.ask("first", "second") == []
    return crowd


def clients(count: int, name: str = "client") -> list[str]:
    return [f"{name} {number}" for number in range(count)]


async def test_from_two_seconds_on_clients_get_nothing_in_addition_and_from_four_on_nobody_gets_anything(
    crowd: Crowd,
) -> None:
    assert await crowd.ask(*clients(40)) == []  # 40 turns of 0.1 s by two workers
    assert crowd.queue.wait_s == pytest.approx(2.0, rel=0.01)
    assert await crowd.ask("client 41") == []
    [busy] = await crowd.ask("client 0")
    assert busy.code == "busy"
    assert busy.detail.endswith("than this host can answer in 2 seconds. Try again in a moment.")
    assert busy.retry_after_s
    assert await crowd.ask(*clients(40, "more")) == []
    [busy] = await crowd.ask("one too many")
    assert "4 seconds" in busy.detail
    assert crowd.shed == 2
    await crowd.end()


async def test_one_client_may_wait_for_as_much_as_it_likes_while_others_are_served_at_once(crowd: Crowd) -> None:
    assert await crowd.ask(*["album"] * 200) == []
    assert await crowd.ask("other") == []
    await crowd.end()
    assert crowd.shed == 0


async def test_what_nobody_watches_is_not_refused_for_views_that_wait(crowd: Crowd) -> None:
    await crowd.ask(*clients(100))
    assert crowd.shed > 0
    assert await crowd.ask("client 0", priority=Priority.PREWARM) == []
    await crowd.end()


async def test_the_bound_follows_how_long_jobs_take(crowd: Crowd) -> None:
    crowd.goes_on.set()
    await crowd.measure(job_s=0.001)
    crowd.goes_on.clear()
    await crowd.ask("first", "second")
    assert await crowd.ask(*clients(900)) == []
    await crowd.end()


async def test_all_who_wait_for_the_same_image_have_one_turn_together(crowd: Crowd) -> None:
    together = Clients("client 0")
    crowd.tasks.append(asyncio.create_task(crowd.wait(Lease(crowd.queue, Priority.VIEW, together, int))))
    await asyncio.sleep(0)
    for client in clients(100):
        together.join(client)
    assert crowd.queue.wait_s == pytest.approx(0.05, rel=0.01)
    assert await crowd.ask("somebody else") == []


async def test_one_job_that_takes_very_long_keeps_nobody_out() -> None:
    crowd = Crowd()
    await crowd.measure()
    await crowd.measure_one(20.0)
    await crowd.ask("first", "second")
    assert await crowd.ask(*clients(30)) == []


async def test_a_view_is_refused_before_anything_is_fetched_for_it(crowd: Crowd) -> None:
    lease = Lease(crowd.queue, Priority.VIEW, Clients("somebody"), int)
    lease.require_room()
    assert await crowd.ask(*clients(100))  # the last ones are refused
    with pytest.raises(Busy):
        lease.require_room()
    Lease(crowd.queue, Priority.PREWARM, Clients("somebody"), int).require_room()
    await crowd.end()
