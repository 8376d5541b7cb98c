"""A worker's next order waits in its socket while the first one is done, and comes to no harm there."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from appliance.domain.clients import Clients
from appliance.domain.errors import CannotResize
from appliance.domain.renditions import Facts, Format, Priority, RenderedFile
from appliance.workers import Workers
from appliance.workers.lease import Lease
from appliance.workers.limits import RenewalLimits, ResourceLimits
from appliance.workers.pending_orders import NotBegun, PendingOrder, PendingOrders, Reply
from appliance.workers.process import WorkerLost, WorkerProcess
from appliance.workers.protocol import Inspect, Order, Render
from appliance.workers.work_queue import WorkQueue
from tests.support.images import pictures
from tests.support.waiting import until
from tests.support.worker_pools import ONE, PLAIN, running
from tests.support.workers import boxed, in_memory

QUICK = Inspect(10**9, 10**9, 10**9, cpu_s=5)
SMALL = boxed(64, Format.JPG)


@pytest_asyncio.fixture
async def worker() -> AsyncIterator[WorkerProcess]:
    one = WorkerProcess(ResourceLimits(10**9, 10**9))
    await one.ready
    yield one
    one.kill()
    await one.exited


def slow_render() -> Order:
    return Render(Facts("image/png", 4_000, 4_000), (SMALL,), frozenset(), cpu_s=60)


def call(worker: WorkerProcess, order: Order, data: bytes, deadline_s: float = 60) -> "asyncio.Task[Any]":
    source = in_memory(data)
    task = asyncio.create_task(worker.call(order, [source], deadline_s))
    task.add_done_callback(lambda _: os.close(source))
    return task


async def test_each_order_gets_its_own_answer(worker: WorkerProcess) -> None:
    calls = [call(worker, QUICK, pictures.png(width, 30)) for width in (20, 40, 60)]
    assert [answer.width for answer, _ in await asyncio.gather(*calls)] == [20, 40, 60]
    assert not worker.has_order


async def test_a_killed_worker_gives_its_waiting_order_back(worker: WorkerProcess, slow: bytes) -> None:
    first, second = call(worker, slow_render(), slow), call(worker, QUICK, pictures.png(80, 60))
    await until(lambda: worker.has_order)
    worker.kill()
    with pytest.raises(WorkerLost, match="SIGKILL"):
        await first
    with pytest.raises(NotBegun):
        await second


async def test_the_deadline_of_an_order_begins_when_the_one_before_is_answered() -> None:
    late: list[PendingOrder] = []
    orders, first, second = PendingOrders(late.append), PendingOrder(60), PendingOrder(0)
    orders.add(first)
    orders.add(second)
    await settled()
    assert late == []
    orders.answer_first(((), []))
    await until(lambda: late == [second])


async def test_an_order_that_is_cancelled_in_the_socket_harms_nobody(worker: WorkerProcess, slow: bytes) -> None:
    before = len(os.listdir("/proc/self/fd"))
    first, second, third = (
        call(worker, order, data)
        for order, data in ((slow_render(), slow), (QUICK, slow), (QUICK, pictures.png(80, 60)))
    )
    await asyncio.sleep(0)
    second.cancel()
    (_, fds), (answer, _) = await asyncio.gather(first, third)
    for fd in fds:
        os.close(fd)
    assert answer.width == 80
    assert len(os.listdir("/proc/self/fd")) == before


async def test_cancelling_the_order_that_has_begun_gives_the_next_one_back(worker: WorkerProcess, slow: bytes) -> None:
    first, second = call(worker, slow_render(), slow), call(worker, QUICK, pictures.png(80, 60))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(NotBegun):
        await second


async def test_cancelling_an_order_that_was_answered_at_this_moment_leaves_the_next_one_running(
    worker: WorkerProcess, slow: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = call(worker, QUICK, pictures.png(80, 60)), call(worker, slow_render(), slow)
    answer = PendingOrder.answer

    def answer_and_cancel(order: PendingOrder, reply: Reply) -> None:
        answer(order, reply)
        first.cancel()

    monkeypatch.setattr(PendingOrder, "answer", answer_and_cancel)
    _, fds = await second
    os.close(fds[0])
    assert first.cancelled()


# --- through the pool ---------------------------------------------------------------------------------------------


def view(workers: Workers, data: bytes, client: str = "any") -> "asyncio.Task[list[RenderedFile]]":
    async def made() -> list[RenderedFile]:
        fd = in_memory(data)
        try:
            async with workers.lease(PLAIN, Priority.VIEW, Clients(client), short=True) as leased:
                return await leased.render(fd, PLAIN, [SMALL])
        finally:
            os.close(fd)

    return asyncio.create_task(made())


async def begun_and_ahead(workers: Workers, begun: bytes, ahead: bytes) -> Sequence["asyncio.Task[Any]"]:
    tasks = [view(workers, begun), view(workers, ahead)]
    process = workers.queues["normal"].slots[0].process
    await until(lambda: process is not None and process.orders == 2)
    return tasks


async def test_a_view_whose_worker_dies_of_the_one_before_is_made_by_the_next_process(slow: bytes) -> None:
    reasons: list[str] = []
    async with running(ONE, reasons.append) as workers:
        first, second = await begun_and_ahead(workers, slow, pictures.small_photo())
        os.kill(workers.pids["normal"][0], 9)
        with pytest.raises(CannotResize):
            await first
        (made,) = await second
        assert (made.width, made.height) == (64, 43)
        assert reasons == ["SIGKILL"]
        assert (workers.busy["normal"], workers.waiting["normal"]) == (0, 0)


async def test_a_view_behind_one_that_misses_its_deadline_is_made_all_the_same(slow: bytes) -> None:
    async with running(replace(ONE, deadline_s=0.4)) as workers:
        first, second = await begun_and_ahead(workers, slow, slow)
        for task in (first, second):  # the second one's deadline begins with the second process
            with pytest.raises(CannotResize, match=r"longer than the limit of 0.4 seconds"):
                await task
        assert workers.deaths == 2


async def test_a_fresh_process_gets_what_waits_in_the_socket_of_the_one_that_is_replaced(slow: bytes) -> None:
    def start_process(limits: ResourceLimits) -> WorkerProcess:
        return WorkerProcess(limits, RenewalLimits(orders=1))

    async with running(ONE, start_process=start_process) as workers:
        [pid] = workers.pids["normal"]
        for made in await asyncio.gather(*await begun_and_ahead(workers, slow, pictures.small_photo())):
            assert len(made) == 1
        assert pid not in workers.pids["normal"]
        assert workers.deaths == 0


# --- the queue ----------------------------------------------------------------------------------------------------


class Jobs:
    """A queue of one slot that hands ahead; what runs ends when it is told."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.queue = WorkQueue(["slot"], 100, clock=lambda: self.now_s, hands_ahead=True)
        self.granted: list[str] = []
        self.charged: dict[str, float] = {}
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def ask(self, name: str, *, short: bool = True, priority: Priority = Priority.VIEW) -> None:
        self._ends[name] = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._job(name, priority, short)))
        await settled()

    async def _job(self, name: str, priority: Priority, short: bool) -> None:
        def charge(_: Clients, seconds: float) -> None:
            self.charged[name] = seconds

        async with Lease(self.queue, priority, Clients(name), str, charge, is_short=short):
            self.granted.append(name)
            await self._ends[name].wait()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_next_short_view_is_granted_while_a_short_job_runs_and_only_one() -> None:
    jobs = Jobs()
    for name in ("first", "second", "third"):
        await jobs.ask(name)
    assert jobs.granted == ["first", "second"]
    assert (jobs.queue.busy, jobs.queue.waiting) == (1, 2)
    await jobs.end("first")
    assert jobs.granted == ["first", "second", "third"]


async def test_nothing_is_granted_ahead_behind_a_long_job_nor_a_long_one_nor_what_nobody_waits_for() -> None:
    cases = ((False, True, Priority.VIEW), (True, False, Priority.VIEW), (True, True, Priority.PREWARM))
    for running_is_short, next_is_short, priority in cases:
        jobs = Jobs()
        await jobs.ask("running", short=running_is_short)
        await jobs.ask("next", short=next_is_short, priority=priority)
        assert jobs.granted == ["running"]
        await jobs.end("running")
        assert jobs.granted == ["running", "next"]


async def test_the_time_that_a_job_waits_ahead_is_not_charged() -> None:
    jobs = Jobs()
    await jobs.ask("first")
    await jobs.ask("second")
    jobs.now_s = 10
    await jobs.end("first")
    jobs.now_s = 12
    await jobs.end("second")
    assert jobs.charged == {"first": 10, "second": 2}
    assert (jobs.queue.busy, jobs.queue.waiting, jobs.queue.remembered) == (0, 0, 0)


async def test_a_job_ahead_that_has_nothing_left_to_do_leaves_its_place_to_the_next() -> None:
    jobs = Jobs()
    for name in ("first", "second", "third"):
        await jobs.ask(name)
    await jobs.end("second")
    assert jobs.granted == ["first", "second", "third"]
    assert jobs.charged == {"second": 0}
    await jobs.end("first")
    await jobs.end("third")
    assert jobs.queue.busy == 0
