"""The estimate of what decoding costs, held against what a worker really takes: its peak of resident memory."""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from appliance.config.model import GB, Renditions
from appliance.domain.renditions import Format, Preset, Priority, Target
from appliance.workers import Workers
from appliance.workers.lanes import lane_of
from tests.support.images import giants, pictures
from tests.support.programs import require
from tests.support.workers import MAX_PIXELS, PRESETS, in_memory

pytestmark = pytest.mark.asyncio(loop_scope="session")
SETTINGS = replace(Renditions(), workers=1, memory_bytes=2 * GB, heavy_memory_bytes=4 * GB)
W, H = 5000, 3600

KINDS: dict[str, Callable[[Path], None]] = {
    "jpeg": lambda path: giants.jpeg(path, W, H),
    "wide jpeg": lambda path: giants.jpeg(path, 30_000, 1000),
    "progressive jpeg": lambda path: giants.jpeg(path, W, H, progressive=True),
    "progressive jpeg, full chroma": lambda path: giants.jpeg(path, W, H, progressive=True, full_chroma=True),
    "png": lambda path: giants.png(path, W, H),
    "wide png": lambda path: giants.png(path, 30_000, 1000),
    "interlaced png": lambda path: giants.png(path, W, H, interlaced=True),
    "16-bit interlaced png": lambda path: giants.png(path, W, H, interlaced=True, deep=True),
    "png with alpha": lambda path: giants.png(path, W, H, alpha=True),
    "tiff in strips": lambda path: giants.tiff(path, W, H, compression="deflate"),
    "wide tiff": lambda path: giants.tiff(path, 30_000, 1000, compression="none"),
    "tiff in one strip": lambda path: giants.tiff(path, W, H, compression="deflate", tile_height=H),
    "tiff in small tiles": lambda path: giants.tiff(path, W, H, tile=True, tile_width=256, tile_height=256),
    "tiff in large tiles": lambda path: giants.tiff(path, W, H, tile=True, tile_width=2048, tile_height=2048),
    "wide tiff in large tiles": lambda path: giants.tiff(
        path, 30_000, 1000, tile=True, tile_width=1024, tile_height=1024
    ),
    "pyramidal tiff": lambda path: giants.tiff(path, W, H, tile=True, pyramid=True),
    "float tiff": lambda path: giants.tiff(path, W, H, samples="float"),
    "16-bit tiff in tiles": lambda path: giants.tiff(path, W, H, samples="ushort", tile=True),
    "cmyk tiff": lambda path: giants.tiff(path, W, H, cmyk=True),
    "webp": lambda path: giants.webp(path, W, H),
    "lossless webp": lambda path: giants.webp(path, W, H, lossless=True),
    "avif": lambda path: giants.avif(path, W, H),
    "avif, full chroma": lambda path: giants.avif(path, W, H, subsample_mode="off"),
    "heic": lambda path: giants.heic(path, W, H),
    "gif": lambda path: giants.animation(path, 1, W, H),
    "animated gif": lambda path: giants.animation(path, 50, 800, 600),
    "animated webp": lambda path: giants.animation(path, 50, 800, 600),
}

ALWAYS = {
    "jpeg",
    "progressive jpeg, full chroma",
    "interlaced png",
    "tiff in strips",
    "wide tiff in large tiles",
    "webp",
    "avif, full chroma",
    "heic",
    "animated webp",
}
"""One that takes much for each decoder; the others only in the long tests."""


def memory_bytes(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


async def peak_bytes(workers: Workers, path: Path, format: Format) -> tuple[int, int]:
    """The estimate, and how much a worker grew while it made every preset."""
    with path.open("rb") as file:
        facts = await workers.inspect(file.fileno())
        assert facts.refusal is None
        lane = workers.queues[lane_of(facts, SETTINGS)]
        async with workers.lease(facts, Priority.VIEW) as worker:
            warm = in_memory(pictures.small_photo())  # a process of the long lane starts with its first order
            await worker.render(warm, facts, [Target(Preset("warm", 32), Format.JPG)])
            os.close(warm)
            [pid] = [slot.process.pid for slot in lane.slots if slot.process]
            before = memory_bytes(pid, "VmRSS")
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the peak of what was before
            await worker.render(file.fileno(), facts, [Target(preset, format) for preset in PRESETS])
            return facts.memory_bytes, memory_bytes(pid, "VmHWM") - before


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def roomy() -> AsyncIterator[Workers]:
    workers = Workers(SETTINGS, MAX_PIXELS)
    await workers.start()
    yield workers
    await workers.stop()


@pytest.mark.parametrize(
    "name", [pytest.param(kind, marks=[pytest.mark.long] * (kind not in ALWAYS)) for kind in KINDS]
)
async def test_no_picture_takes_more_memory_than_was_estimated(roomy: Workers, tmp_path: Path, name: str) -> None:
    if "heic" in name and not shutil.which("heif-enc"):
        require("heif-enc", "it makes the HEIC that is measured here; it comes with libheif-examples")
    path = tmp_path / f"giant.{'webp' if name == 'animated webp' else 'gif'}"
    KINDS[name](path)
    estimate, peak = await peak_bytes(roomy, path, Format.WEBP if "animated" in name else Format.JPG)
    assert peak <= estimate + path.stat().st_size  # libvips maps the file, which no limit counts
