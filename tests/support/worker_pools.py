"""Workers with settings of a test's own, and what its orders are made of: small images, and one that takes a second."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from appliance.config.model import Renditions
from appliance.domain.errors import CannotResize
from appliance.domain.renditions import Facts, Format, RenderedFile
from appliance.workers import Workers
from appliance.workers.process import WorkerProcess
from appliance.workers.supervised_worker import StartProcess
from tests.support.images import pictures
from tests.support.waiting import until
from tests.support.workers import MAX_PIXELS, SETTINGS, boxed, rendered

ONE = replace(SETTINGS, workers=1)
PLAIN = Facts("image/jpeg", 451, 300, memory_bytes=1000)
HEAVY = replace(PLAIN, memory_bytes=ONE.memory_bytes + 1)
SLOW = Facts("image/png", 4_000, 4_000)
"""What `hostile.png_bomb` is announced as, so that it gets into the normal lane."""
LONG = Facts("image/png", 20_000, 20_000, memory_bytes=1000)


@asynccontextmanager
async def running(
    config: Renditions = ONE,
    on_death: Callable[[str], None] | None = None,
    start_process: StartProcess = WorkerProcess,
) -> AsyncIterator[Workers]:
    pool = Workers(config, MAX_PIXELS, on_death=on_death, start_process=start_process)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


async def small(workers: Workers) -> list[RenderedFile]:
    return await rendered(workers, pictures.small_photo(), boxed(64, Format.JPG), facts=PLAIN)


async def works(workers: Workers) -> bool:
    """Whether a small picture is rendered; on a busy machine it may miss a short deadline."""
    try:
        return bool(await small(workers))
    except CannotResize:
        return False


def start(workers: Workers, data: bytes) -> "asyncio.Task[list[RenderedFile]]":
    return asyncio.create_task(rendered(workers, data, boxed(64, Format.JPG), facts=SLOW))


async def is_busy(workers: Workers, orders: int = 1) -> None:
    """Returns once so many orders have reached their workers."""
    slots = workers.queues["normal"].slots
    await until(lambda: sum(slot.process is not None and slot.process.has_order for slot in slots) >= orders)


async def gone(pid: int) -> None:
    await until(lambda: not Path(f"/proc/{pid}").exists())
