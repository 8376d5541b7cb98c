"""How soon can a giant image be viewed, in every format: the time from the upload's last byte to each preset?

The images are mosaics of photographs (tests/support/images/giants.py), written to a temporary folder one by one: up to
1.3 GB.
"""

import argparse
import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp

from benchmarks.harness import RunningServer, children, report, server, status_bytes
from tests.support.images import giants

SIDE = 20_000
PRESETS = ("thumbnail", "small", "medium", "large")
BLOCK_BYTES = 1 << 20
Write = Callable[[Path, int], None]
"""Writes an image with its sides divided by a number."""
KINDS: dict[str, Write] = {
    "JPEG": lambda path, by: giants.jpeg(path, SIDE // by, SIDE // by),
    "JPEG, 30,000 x 30,000": lambda path, by: giants.jpeg(path, 30_000 // by, 30_000 // by),
    "progressive JPEG 4:2:0": lambda path, by: giants.jpeg(path, SIDE // by, SIDE // by, progressive=True),
    "progressive JPEG 4:4:4": lambda path, by: giants.jpeg(
        path, SIDE // by, SIDE // by, progressive=True, full_chroma=True
    ),
    "PNG": lambda path, by: giants.png(path, SIDE // by, SIDE // by),
    "interlaced PNG": lambda path, by: giants.png(path, SIDE // by, SIDE // by, interlaced=True),
    "TIFF, deflated strips": lambda path, by: giants.tiff(path, SIDE // by, SIDE // by, compression="deflate"),
    "BigTIFF, plain strips": lambda path, by: giants.tiff(
        path, SIDE // by, SIDE // by, compression="none", bigtiff=True
    ),
    "TIFF, JPEG tiles": lambda path, by: giants.tiff(
        path, SIDE // by, SIDE // by, tile=True, tile_width=256, tile_height=256
    ),
    "TIFF, pyramid": lambda path, by: giants.tiff(
        path, SIDE // by, SIDE // by, pyramid=True, tile=True, tile_width=256, tile_height=256
    ),
    "BigTIFF, pyramid in sub-directories": lambda path, by: giants.tiff(
        path,
        SIDE // by,
        SIDE // by,
        pyramid=True,
        subifd=True,
        bigtiff=True,
        tile=True,
        tile_width=256,
        tile_height=256,
    ),
    "TIFF, CMYK": lambda path, by: giants.tiff(path, SIDE // by, SIDE // by, cmyk=True),
    "TIFF, 16 bit": lambda path, by: giants.tiff(path, SIDE // by, SIDE // by, samples="ushort"),
    "WebP": lambda path, by: giants.webp(path, 16_383 // by, 8192 // by),
    "AVIF": lambda path, by: giants.avif(path, 16_384 // by, 8704 // by),
    "HEIC": lambda path, by: giants.heic(path, 8192 // by, 6144 // by),
}


class Sent:
    """A file on its way; `ended_s` is when its last byte was handed over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.ended_s = 0.0

    async def blocks(self) -> AsyncIterator[bytes]:
        with self._path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block
        self.ended_s = time.perf_counter()


async def seen(running: RunningServer, path: Path) -> tuple[dict[str, object], float, dict[str, float]]:
    """The image's resource, seconds from the last byte to its link, and to each preset."""
    sent = Sent(path)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=300)) as session:
        async with session.post(f"{running.url}/api/v1/images?filename=giant", data=sent.blocks()) as reply:
            resource = await reply.json()
            assert reply.status == 201, resource
            linked_s = time.perf_counter() - sent.ended_s

        async def view(preset: str) -> tuple[str, float]:
            async with session.get(resource["renditions"][preset]["url"]) as picture:
                assert picture.status == 200, await picture.text()
                await picture.read()
            return preset, time.perf_counter() - sent.ended_s

        if resource["state"] != "ready":
            return resource, linked_s, {}
        return resource, linked_s, dict(await asyncio.gather(*map(view, PRESETS)))


def peak_bytes(running: RunningServer) -> int:
    """The largest peak of any of its workers."""
    return max(status_bytes(pid, "VmHWM") for pid in children(running.process.pid))


async def measured(name: str, write: Write, shrink: int, folder: Path) -> tuple[str, ...]:
    path = folder / "giant"
    await asyncio.to_thread(write, path, shrink)
    size = path.stat().st_size
    with server() as running:
        resource, linked_s, preset_s = await seen(running, path)
        peak = peak_bytes(running)
    path.unlink()
    figures = (f"{preset_s[preset]:.1f}" if preset in preset_s else "-" for preset in PRESETS)
    pixels = f"{resource['width']}x{resource['height']}"
    return (name, pixels, f"{size / 1e6:,.0f}", f"{linked_s:.1f}", *figures, f"{peak / 1e6:,.0f}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shrink", type=int, default=1, help="divide the sides of the images by this, for a quick try")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="giants-"))
    try:
        rows = [await measured(name, write, arguments.shrink, folder) for name, write in KINDS.items()]
    finally:
        shutil.rmtree(folder)
    report(
        "giant_images",
        "How soon is a giant picture seen? Seconds from the last byte of its upload; the worker's peak of memory",
        ("format", "pixels", "MB", "link", *PRESETS, "worker's peak, MB"),
        rows,
    )


if __name__ == "__main__":
    asyncio.run(main())
