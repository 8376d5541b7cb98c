"""Measures how long this machine takes to render the prewarmed sizes of an image, in a worker as the server would."""

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
class RenderingSpeed:
    """CPU seconds for the prewarmed sizes of an image, how many it was measured on, and this machine's cores."""

    image_s: float
    images: int
    cores: int


async def measure(config: Config, *, seconds: float) -> RenderingSpeed:
    """Render the prewarmed sizes of a sample image for `seconds`, after a first time that doesn't count.

    The CPU time of the worker is measured, so that other work on the machine doesn't matter. Raises UnfitInstallation.
    """
    workers = Workers(replace(config.renditions, workers=1), config.uploads.max_pixels)
    await workers.start()
    try:
        with tempfile.TemporaryFile() as file:
            file.write(await _sample_image())
            file.flush()
            facts = await workers.inspect(file.fileno())
            await _render(workers, config, file.fileno(), facts)
            return await _measured_speed(workers, config, file.fileno(), facts, seconds)
    finally:
        await workers.stop(grace_s=0)


async def _measured_speed(workers: Workers, config: Config, fd: int, facts: Facts, seconds: float) -> RenderingSpeed:
    (pid,) = workers.pids["normal"]
    before_s, until, images = _cpu_s(pid), time.monotonic() + seconds, 0
    while not images or time.monotonic() < until:
        await _render(workers, config, fd, facts)
        images += 1
    return RenderingSpeed((_cpu_s(pid) - before_s) / images, images, os.cpu_count() or 1)


async def _render(workers: Workers, config: Config, fd: int, facts: Facts) -> None:
    prewarmed = config.renditions.prewarm or [preset.name for preset in config.renditions.presets]
    targets = [Target(preset, Format.JPG) for preset in config.renditions.presets if preset.name in prewarmed]
    async with workers.lease(facts, Priority.VIEW) as worker:
        await worker.render(fd, facts, targets)


async def _sample_image() -> bytes:
    """A sample image, made in another process since this one never loads libvips."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance.imaging.sample_image", stdout=asyncio.subprocess.PIPE
    )
    data, _ = await process.communicate()
    if process.returncode != 0 or not data:
        raise UnfitInstallation("The test image can't be created. Run `appliance doctor` for details.")
    return data


def _cpu_s(pid: int) -> float:
    """The CPU time of a process in seconds, including the kernel's work for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
