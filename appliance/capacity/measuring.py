"""How long this machine takes for all sizes of a picture: measured in a worker, as the server would make them."""

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.config.model import Config
from appliance.domain.errors import UnfitInstallation
from appliance.domain.renditions import Facts, Format, Priority, Target
from appliance.workers import Workers

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Pace:
    """Processor seconds for all sizes of one picture; how many pictures that was measured on; this machine's cores."""

    image_s: float
    images: int
    cores: int


async def measure(config: Config, *, seconds: float) -> Pace:
    """Make all sizes of the specimen for so long, the first time apart. Raises UnfitInstallation.

    The processor's time of the worker counts, not the clock's: other work on the machine falsifies nothing.
    """
    workers = Workers(replace(config.renditions, workers=1), config.uploads.max_pixels)
    await workers.start()
    try:
        with tempfile.TemporaryFile() as file:
            file.write(await _specimen())
            file.flush()
            facts = await workers.inspect(file.fileno())
            await _make(workers, config, file.fileno(), facts)
            return await _paced(workers, config, file.fileno(), facts, seconds)
    finally:
        await workers.stop(grace_s=0)


async def _paced(workers: Workers, config: Config, fd: int, facts: Facts, seconds: float) -> Pace:
    (pid,) = workers.pids["normal"]
    before_s, until, images = _cpu_s(pid), time.monotonic() + seconds, 0
    while not images or time.monotonic() < until:
        await _make(workers, config, fd, facts)
        images += 1
    return Pace((_cpu_s(pid) - before_s) / images, images, os.cpu_count() or 1)


async def _make(workers: Workers, config: Config, fd: int, facts: Facts) -> None:
    targets = [Target(preset, Format.JPG) for preset in config.renditions.presets]
    async with workers.lease(facts, Priority.VIEW) as worker:
        await worker.render(fd, facts, targets)


async def _specimen() -> bytes:
    """Made in a process of its own: this one never loads libvips."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance.imaging.sample_image", stdout=asyncio.subprocess.PIPE
    )
    data, _ = await process.communicate()
    if process.returncode != 0 or not data:
        raise UnfitInstallation("The test image can't be created. Run `appliance doctor` for details.")
    return data


def _cpu_s(pid: int) -> float:
    """The processor's time that a process has used, for itself and for the kernel's work on its behalf."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
