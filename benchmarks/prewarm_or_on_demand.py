"""Prewarm or render on demand: what does each cost, and how long does the first visitor wait?

Images are uploaded, and some time later visitors ask for some of their four sizes, each size once. What the server
renders while it is idle doesn't count.
"""

import asyncio
import time

import aiohttp

from benchmarks.harness import RunningServer, distinct, report, server, spread
from tests.support.images.pictures import camera_photo

IMAGES = 40
SETTLE_S = 0.25
PRESETS = ("medium", "thumbnail", "large", "small")


async def measure(running: RunningServer, photo: bytes, visits: int) -> tuple[list[float], float, float]:
    """First-view seconds, processor seconds an image, and cached bytes an image."""
    first: list[float] = []
    before_s = running.foreground_cpu_s()
    for number in range(IMAGES):
        async with aiohttp.ClientSession() as session:
            data = distinct(photo, number)
            async with session.post(f"{running.url}/api/v1/images?filename=a.jpg", data=data) as reply:
                slug = (await reply.json())["slug"]
            await asyncio.sleep(SETTLE_S)
            for preset in PRESETS[:visits]:
                started = time.perf_counter()
                async with session.get(f"{running.url}/i/{slug}/{preset}.jpg") as reply:
                    assert reply.status == 200
                    await reply.read()
                first.append(time.perf_counter() - started)
    cached = sum(path.stat().st_size for path in (running.data_dir / "cache").rglob("*.jpg") if path.is_file())
    return first, (running.foreground_cpu_s() - before_s) / IMAGES, cached / IMAGES


async def main() -> None:
    photo = camera_photo()
    rows = []
    for policy, prewarm in (("all four", "thumbnail,small,medium,large"), ("medium only", "medium"), ("none", "")):
        for visits in (0, 1, 4):
            with server(RENDITIONS_PREWARM=prewarm) as running:
                first, cpu_s, cached = await measure(running, photo, visits)
            shown = spread(first) if first else "-"
            rows.append((policy, str(visits), shown, f"{cpu_s * 1000:.0f}", f"{cached / 1000:,.0f}"))
    header = ("prewarm", "sizes viewed", "first view, ms: median (p5-p95)", "CPU ms an image", "cached KB an image")
    report(
        "prewarm_or_on_demand",
        f"Prewarm or on demand? {IMAGES} photographs of 2725x2225, {len(photo):,} bytes",
        header,
        rows,
    )


if __name__ == "__main__":
    asyncio.run(main())
