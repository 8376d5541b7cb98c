"""Workers that can't be started, are stopped as they start, or are made anew: by name, and never for good."""

import asyncio
import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from appliance.config.model import MB
from appliance.domain.errors import Busy, CannotResize, Stopping, UnfitInstallation
from appliance.domain.renditions import Facts, Format, Priority
from appliance.workers import Workers
from appliance.workers.limits import ResourceLimits
from appliance.workers.process import WorkerProcess
from appliance.workers.protocol import BuildPyramid
from appliance.workers.supervised_worker import SupervisedWorker, pause_s
from appliance.workers.worker import read_and_close
from tests.support.images import pictures
from tests.support.waiting import until
from tests.support.worker_pools import HEAVY, ONE, gone, is_busy, running, small, start, works
from tests.support.workers import MAX_PIXELS, boxed, in_memory, inspected, rendered


class FullSystem:
    """Starts workers, but has no process left for them while it `is_full`."""

    def __init__(self, *, is_full: bool = False) -> None:
        self.is_full = is_full
        self.refused = 0

    def __call__(self, limits: ResourceLimits) -> WorkerProcess:
        if not self.is_full:
            return WorkerProcess(limits)
        self.refused += 1
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


@contextmanager
def no_more_files() -> Iterator[None]:
    """This process has as many files open as it may."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    first_free = os.dup(0)
    os.close(first_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


async def test_where_no_process_can_be_started_an_order_is_told_to_come_back() -> None:
    system = FullSystem()
    async with running(start_process=system) as workers:
        system.is_full = True
        data = pictures.small_photo()
        for _ in range(2):
            with pytest.raises(Busy) as busy:
                await rendered(workers, data, boxed(64, Format.JPG), facts=HEAVY)
            assert busy.value.retry_after_s
        system.is_full = False
        assert await rendered(workers, data, boxed(64, Format.JPG), facts=HEAVY)


async def test_a_lost_order_is_named_so_even_where_its_worker_can_not_be_replaced(
    slow: bytes,
) -> None:
    system = FullSystem()
    async with running(replace(ONE, deadline_s=0.3), start_process=system) as workers:
        system.is_full = True
        with pytest.raises(CannotResize, match=r"longer than the limit of 0.3 seconds"):
            await start(workers, slow)
        with pytest.raises(Busy):
            await small(workers)
        system.is_full = False
        await until(lambda: len(workers.pids["normal"]) == 1)  # by itself, with no order to wake it
        await until(lambda: works(workers), "a worker in its place")


async def test_a_worker_is_started_again_and_again_until_the_system_has_room_for_it() -> None:
    system = FullSystem()
    async with running(start_process=system) as workers:
        worker, _spare = workers.queues["normal"].slots
        system.is_full = True
        worker.renew()
        await until(lambda: system.refused > 2)
        system.is_full = False
        await until(lambda: worker.process is not None)


def test_the_pauses_between_starts_grow_and_stay_bounded_however_many_fail() -> None:
    assert [pause_s(failed) for failed in range(4)] == [0.1, 0.2, 0.4, 0.8]
    assert pause_s(5000) == 5.0


async def test_starting_without_room_for_a_process_is_an_unfit_installation() -> None:
    with pytest.raises(UnfitInstallation):
        await Workers(ONE, MAX_PIXELS, start_process=FullSystem(is_full=True)).start()


async def test_stopping_while_a_worker_warms_up_leaves_none_behind() -> None:
    workers = Workers(ONE, MAX_PIXELS)
    await workers.start()
    order = asyncio.create_task(rendered(workers, pictures.small_photo(), boxed(64, Format.JPG), facts=HEAVY))
    await until(lambda: len(workers.pids["heavy"]) == 1)
    await workers.stop(grace_s=0)
    with pytest.raises(Stopping):
        await order
    assert workers.pids == {"inspect": (), "normal": (), "long": (), "heavy": (), "background": ()}


async def test_a_worker_that_does_not_get_ready_is_replaced() -> None:
    reasons: list[str] = []
    worker = SupervisedWorker(ResourceLimits(200 * MB, 200 * MB), reasons.append, idle_s=60, start_timeout_s=0.001)
    with pytest.raises(Busy):
        await worker.run(BuildPyramid(cpu_s=1), [], deadline_s=1)
    assert worker.process is None
    assert reasons == ["start", "start"]
    await worker.stop()


async def test_a_damaged_image_is_a_permanent_failure_at_once() -> None:
    async with running() as workers:
        whole = pictures.interlaced_png(300, 300)
        facts = await inspected(workers, whole)
        before = workers.pids["normal"]
        with pytest.raises(CannotResize) as verdict:
            await rendered(workers, whole[: len(whole) // 8], boxed(64, Format.JPG), facts=facts)
        assert verdict.value.final
        assert workers.pids["normal"] == before


async def test_want_of_memory_is_no_permanent_failure_and_renews_the_worker() -> None:
    async with running(replace(ONE, memory_bytes=1 * MB)) as workers:
        (before,) = workers.pids["normal"]
        data = pictures.saved(pictures.quarters(9000, 9000), "avif", quality=30, speed=10)
        with pytest.raises(CannotResize) as verdict:
            await rendered(workers, data, boxed(64, Format.JPG), facts=Facts("image/avif", 900, 900))
        assert not verdict.value.final
        await gone(before)
        assert await small(workers)


async def test_an_answer_that_finds_no_room_for_its_files_is_no_fault_of_the_image(slow: bytes) -> None:
    async with running() as workers:
        order = start(workers, slow)
        await is_busy(workers)
        with no_more_files(), pytest.raises(Busy):
            await order
        assert await small(workers)


async def test_a_file_that_can_not_be_opened_once_more_is_no_fault_of_the_image() -> None:
    fd = in_memory(pictures.small_photo())
    async with running() as workers:
        with no_more_files(), pytest.raises(Busy):
            await workers.inspect(fd)
        assert (await workers.inspect(fd)).width == 451
    os.close(fd)


def test_files_that_claim_more_than_memory_holds_are_not_read() -> None:
    files = [os.memfd_create("claim") for _ in range(3)]
    for fd in files:
        os.ftruncate(fd, 400 * MB)  # takes no room until it is read
    with pytest.raises(CannotResize, match="too large"):
        read_and_close(files)
    for fd in files:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(fd)


async def test_a_large_output_is_whole_and_leaves_no_descriptor_open() -> None:
    async with running() as workers:
        fd = in_memory(pictures.photo(1500, 1500))
        facts = await workers.inspect(fd)
        opened = len(os.listdir("/proc/self/fd"))
        async with workers.lease(facts, Priority.VIEW) as worker:
            (made,) = await worker.render(fd, facts, [boxed(1500, Format.PNG)])
        assert len(made.data) > MB
        assert made.data.endswith(b"IEND\xaeB`\x82")
        assert len(os.listdir("/proc/self/fd")) == opened
        os.close(fd)
