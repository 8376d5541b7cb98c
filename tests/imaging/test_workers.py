"""The worker processes' lives: queues, priorities, deadlines, deaths, and what a worker can't reach."""

import asyncio
import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from appliance.config.model import MB
from appliance.domain.errors import Busy, CannotResize, Stopping, UnreadableImage
from appliance.domain.renditions import Facts, Format, Priority
from appliance.workers import Lease, Worker, Workers
from appliance.workers.limits import RenewalLimits
from appliance.workers.process import WorkerProcess
from tests.support.images import pictures
from tests.support.waiting import until
from tests.support.worker_pools import HEAVY, LONG, ONE, PLAIN, gone, is_busy, running, small, start, works
from tests.support.workers import MAX_PIXELS, SETTINGS, boxed, in_memory, inspected, rendered, target


async def test_a_killed_worker_costs_only_its_own_order(slow: bytes) -> None:
    reasons: list[str] = []
    async with running(SETTINGS, reasons.append) as workers:
        first, second = start(workers, slow), start(workers, slow)
        await is_busy(workers, 2)
        os.kill(workers.pids["normal"][0], signal.SIGKILL)
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CannotResize", "list"]
        assert (reasons, workers.deaths) == (["SIGKILL"], 1)
        assert await small(workers)
        assert len(workers.pids["normal"]) == 2


async def test_a_worker_that_dies_idle_is_replaced_at_once() -> None:
    async with running() as workers:
        (before,) = workers.pids["normal"]
        os.kill(before, signal.SIGKILL)
        await gone(before)
        assert await small(workers)
        assert workers.pids["normal"] != (before,)
        assert workers.deaths == 1


async def test_a_dead_inspector_costs_one_upload_at_most() -> None:
    async with running() as workers:
        for pid in workers.pids["inspect"]:
            os.kill(pid, signal.SIGKILL)
        for _ in range(3):
            try:
                facts = await inspected(workers, pictures.small_photo())
            except UnreadableImage:
                continue
        assert (facts.width, facts.height) == (451, 300)


async def test_an_order_that_only_waited_for_the_processor_is_not_called_too_slow() -> None:
    async with running(replace(ONE, deadline_s=0.3)) as workers:
        (pid,) = workers.pids["normal"]
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(CannotResize) as refused:
            await small(workers)
        assert not refused.value.is_too_slow


async def test_a_deadline_ends_the_order_and_the_process(slow: bytes) -> None:
    reasons: list[str] = []
    async with running(replace(ONE, deadline_s=0.3), reasons.append) as workers:
        (pid,) = workers.pids["normal"]
        with pytest.raises(CannotResize, match=r"longer than the limit of 0.3 seconds"):
            await start(workers, slow)
        await gone(pid)
        assert reasons == ["deadline"]
        await until(lambda: works(workers), "a worker in its place")


async def test_a_cancelled_order_leaves_nothing_behind(slow: bytes) -> None:
    async with running() as workers:
        (pid,) = workers.pids["normal"]
        order = start(workers, slow)
        await is_busy(workers)
        order.cancel()
        with pytest.raises(asyncio.CancelledError):
            await order
        await gone(pid)
        (made,) = await small(workers)
        assert (made.width, made.height) == (64, 43)
        assert workers.deaths == 0


async def test_cancelling_at_any_moment_mixes_no_answers_up() -> None:
    async with running(SETTINGS) as workers:
        for wait_s in (0.0, 0.001, 0.003, 0.006, 0.01, 0.02):
            orders = [asyncio.create_task(small(workers)) for _ in range(4)]
            await asyncio.sleep(wait_s)
            orders[0].cancel()
            orders[2].cancel()
            await asyncio.gather(*orders, return_exceptions=True)
            made = await rendered(workers, pictures.png(), boxed(32, Format.PNG))
            assert [(each.width, each.height) for each in made] == [(32, 24)]
        assert workers.busy == {"inspect": 0, "normal": 0, "long": 0, "heavy": 0, "background": 0}
        assert workers.waiting == {"inspect": 0, "normal": 0, "long": 0, "heavy": 0, "background": 0}


async def test_a_full_queue_is_refused_with_the_limit() -> None:
    async with running(replace(ONE, queue=2)) as workers:
        async with workers.lease(PLAIN, Priority.VIEW):
            waiting = [asyncio.create_task(entered(workers.lease(PLAIN, Priority.VIEW))) for _ in range(2)]
            await asyncio.sleep(0)
            assert workers.waiting["normal"] == 2
            with pytest.raises(Busy) as busy:
                await entered(workers.lease(PLAIN, Priority.VIEW))
            assert (busy.value.limit, busy.value.actual) == (2, 2)
            assert busy.value.retry_after_s
            background = asyncio.create_task(entered(workers.lease(PLAIN, Priority.PREWARM)))
            await asyncio.sleep(0)
            assert workers.waiting["normal"] == 3
        await asyncio.gather(*waiting, background)


async def entered(waiting: Lease[Worker], name: str = "", order: list[str] | None = None) -> None:
    async with waiting:
        if order is not None:
            order.append(name)


async def test_views_go_before_prewarming_before_pyramids_and_the_hurried_move_up() -> None:
    order: list[str] = []
    async with running() as workers:
        names = ["pyramid", "prewarm", "hurried", "view", "view again"]
        ranks = [Priority.PYRAMID, Priority.PREWARM, Priority.PYRAMID, Priority.VIEW, Priority.VIEW]
        places = [workers.lease(PLAIN, rank) for rank in ranks]
        async with workers.lease(PLAIN, Priority.VIEW):
            tasks = [
                asyncio.create_task(entered(place, name, order)) for place, name in zip(places, names, strict=True)
            ]
            await asyncio.sleep(0)
            places[2].promote(Priority.VIEW)
            places[3].promote(Priority.PYRAMID)  # a lower priority changes nothing
        await asyncio.gather(*tasks)
    assert order == ["view", "view again", "hurried", "prewarm", "pyramid"]


async def test_who_leaves_the_queue_makes_room() -> None:
    async with running() as workers:
        async with workers.lease(PLAIN, Priority.VIEW):
            leaving = asyncio.create_task(entered(workers.lease(PLAIN, Priority.VIEW)))
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            assert workers.waiting["normal"] == 0
        assert workers.busy["normal"] == 0
        assert await small(workers)


async def test_a_heavy_image_has_a_lane_of_its_own() -> None:
    async with running() as workers:
        assert workers.pids["heavy"] == ()
        async with workers.lease(PLAIN, Priority.VIEW), workers.lease(HEAVY, Priority.VIEW) as worker:
            assert workers.busy == {"inspect": 0, "normal": 1, "long": 0, "heavy": 1, "background": 0}
            fd = in_memory(pictures.small_photo())
            assert await worker.render(fd, HEAVY, [boxed(64, Format.JPG)])
            os.close(fd)
            assert len(workers.pids["heavy"]) == 1


async def test_long_work_leaves_the_places_of_short_work_free_and_stands_back_for_it() -> None:
    async with running() as workers:
        async with workers.lease(LONG, Priority.VIEW) as worker:
            waiting = asyncio.create_task(entered(workers.lease(LONG, Priority.VIEW)))
            fd = in_memory(pictures.small_photo())
            assert await worker.render(fd, LONG, [boxed(64, Format.JPG)])
            os.close(fd)
            assert (workers.busy["long"], workers.waiting["long"], workers.busy["normal"]) == (1, 1, 0)
            assert await small(workers)
            [long], [normal] = workers.pids["long"], workers.pids["normal"]
            assert os.getpriority(os.PRIO_PROCESS, long) > os.getpriority(os.PRIO_PROCESS, normal)
        await waiting


async def test_a_progressive_giant_passes_the_heavy_lane_and_not_the_normal_one() -> None:
    data = pictures.photo(4000, 3000, progressive=True)
    config = replace(ONE, memory_bytes=20 * MB, heavy_memory_bytes=500 * MB)
    async with running(config) as workers:
        facts = await inspected(workers, data)
        assert facts.memory_bytes > config.memory_bytes
        (made,) = await rendered(workers, data, target("small", Format.JPG))
        assert (made.width, made.height) == (512, 384)
        with pytest.raises(CannotResize):
            await rendered(workers, data, target("small", Format.JPG), facts=replace(facts, memory_bytes=0))


async def test_memory_over_the_limit_costs_only_its_own_order() -> None:
    config = replace(ONE, memory_bytes=1 * MB)
    async with running(config) as workers:
        data = pictures.saved(pictures.quarters(9000, 9000), "avif", quality=30, speed=10)
        with pytest.raises(CannotResize):
            await rendered(workers, data, boxed(64, Format.JPG), facts=Facts("image/avif", 900, 900))
        assert await small(workers)


async def test_stopping_lets_a_running_order_finish_and_sends_the_others_away(slow: bytes) -> None:
    workers = Workers(ONE, MAX_PIXELS)
    await workers.start()
    pids = [pid for lane in workers.pids.values() for pid in lane]
    finishing = start(workers, slow)
    await is_busy(workers)
    waiting = asyncio.create_task(entered(workers.lease(PLAIN, Priority.VIEW)))
    await asyncio.sleep(0)
    await workers.stop(grace_s=30)
    assert len(await finishing) == 1
    with pytest.raises(Stopping):
        await waiting
    with pytest.raises(Stopping):
        await entered(workers.lease(PLAIN, Priority.VIEW))
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


async def test_stopping_without_grace_ends_a_running_order_by_name(slow: bytes) -> None:
    workers = Workers(ONE, MAX_PIXELS)
    await workers.start()
    running_order = start(workers, slow)
    await is_busy(workers)
    await workers.stop(grace_s=0)
    with pytest.raises(Stopping):
        await running_order


async def test_the_cpu_time_of_a_lane_includes_that_of_its_ended_processes() -> None:
    async with running(start_process=partial(WorkerProcess, renewal=RenewalLimits(orders=1))) as workers:
        used_s = []
        for _ in range(3):
            (before,) = workers.pids["normal"]
            assert await small(workers)
            await gone(before)
            used_s.append(workers.cpu_s["normal"])
        assert 0 < used_s[0] < used_s[1] < used_s[2]
        assert workers.cpu_s["heavy"] == 0


async def test_workers_are_recycled() -> None:
    async with running(start_process=partial(WorkerProcess, renewal=RenewalLimits(orders=3))) as workers:
        (before,) = workers.pids["normal"]
        for _ in range(4):
            assert await small(workers)
        assert workers.pids["normal"] != (before,)
        assert workers.deaths == 0
        await gone(before)


@pytest.mark.parametrize(
    "limits",
    [RenewalLimits(cpu_s=0), RenewalLimits(threads=0), RenewalLimits(resident_bytes=0, weigh_every_orders=1)],
    ids=["CPU time", "threads", "memory"],
)
async def test_a_worker_that_holds_more_than_its_work_explains_is_renewed(limits: RenewalLimits) -> None:
    async with running(start_process=partial(WorkerProcess, renewal=limits)) as workers:
        (before,) = workers.pids["normal"]
        assert await small(workers)
        assert workers.pids["normal"] != (before,)
        assert workers.deaths == 0
        await gone(before)


async def test_a_worker_within_its_limits_is_kept() -> None:
    renewal = RenewalLimits(weigh_every_orders=1)
    async with running(start_process=partial(WorkerProcess, renewal=renewal)) as workers:
        before = workers.pids["normal"]
        for _ in range(3):
            assert await small(workers)
        assert workers.pids["normal"] == before


async def test_a_worker_sees_no_secret_and_no_file_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_STORE_SECRET_KEY", "a secret")
    held = in_memory(b"the catalogue")
    os.set_inheritable(held, True)
    async with running() as workers:
        for pid in (pid for lane in workers.pids.values() for pid in lane):
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            assert b"APPLIANCE" not in environment
            assert b"secret" not in environment
            opened = {link.name: str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
            beyond_standard = {name: link for name, link in opened.items() if int(name) > 2}
            assert [link.split(":")[0] for link in beyond_standard.values()] == ["socket"]
    os.close(held)


async def test_workers_live_in_the_servers_process_group_and_under_their_limits() -> None:
    async with running() as workers:
        (pid,) = workers.pids["normal"]
        assert os.getpgid(pid) == os.getpgid(0)
        status = Path(f"/proc/{pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        limits = Path(f"/proc/{pid}/limits").read_text()
        for name in ("Max data size", "Max cpu time", "Max file size", "Max core file size"):
            assert "unlimited" not in next(line for line in limits.splitlines() if line.startswith(name))
        assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "500"
        assert {"no-new-privileges", "memory-limit", "cpu-limit"} <= set(workers.protections)
        assert workers.libvips.startswith("8.")


async def test_the_offset_of_the_callers_file_stays_where_it_was() -> None:
    async with running() as workers:
        fd = in_memory(pictures.small_photo())
        os.lseek(fd, 123, os.SEEK_SET)
        await workers.inspect(fd)
        assert os.lseek(fd, 0, os.SEEK_CUR) == 123
        os.close(fd)
