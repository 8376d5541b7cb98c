"""What tests ask of real worker processes: inspections and renditions of bytes in memory."""

import asyncio
import os
from dataclasses import replace

from appliance.config.model import GB, Renditions
from appliance.domain.errors import ApplianceError
from appliance.domain.renditions import Facts, Format, Preset, Priority, RenderedFile, Target
from appliance.workers import Workers
from tests.support.images import pictures

MAX_PIXELS = 1_000_000_000


PRESETS = Renditions().presets


SETTINGS = replace(Renditions(), workers=2, heavy_memory_bytes=2 * GB)  # the same on every machine


def in_memory(data: bytes) -> int:
    """A descriptor of a file that holds `data`."""
    fd = os.memfd_create("source")
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(data)
    return fd


def target(preset: str, format: Format) -> Target:
    return Target(next(each for each in PRESETS if each.name == preset), format)


def boxed(box_px: int, format: Format) -> Target:
    return Target(Preset(f"box-{box_px}", box_px), format)


async def inspected(workers: Workers, data: bytes) -> Facts:
    fd = in_memory(data)
    try:
        return await workers.inspect(fd)
    finally:
        os.close(fd)


async def rendered(
    workers: Workers, data: bytes, *targets: Target, facts: Facts | None = None, patient: bool = False
) -> list[RenderedFile]:
    """The targets, made of `data` by a real worker."""
    fd = in_memory(data)
    try:
        facts = facts or await workers.inspect(fd)
        async with workers.lease(facts, Priority.VIEW) as worker:
            return await worker.render(fd, facts, targets, patient=patient)
    finally:
        os.close(fd)


ENDS = {"picture", "not-an-image", "unsupported-format", "unreadable-image", "cannot-resize"}


async def outcome(workers: Workers, data: bytes, facts: Facts | None = None) -> str:
    """The code of the named error that a file ends in, or "picture" once every rendition is a whole file."""
    try:
        made = await rendered(
            workers, data, target("thumbnail", Format.JPG), target("medium", Format.WEBP), facts=facts
        )
    except ApplianceError as error:
        return error.code
    for rendition in made:
        assert pictures.opened(rendition.data).size == (rendition.width, rendition.height)
    return "picture"


async def goes_on(workers: Workers) -> None:
    """Every worker still makes pictures."""
    photos = [pictures.small_photo() for _ in range(4)]
    assert await asyncio.gather(*(outcome(workers, photo) for photo in photos)) == ["picture"] * 4
