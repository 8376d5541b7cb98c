"""How much slower are views of small images, cached and not, while giant images are uploaded back to back?"""

import asyncio
import contextlib
import itertools
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks.giant_images import SIDE, seen
from benchmarks.harness import RunningServer, distinct, report, server
from tests.support.images import giants
from tests.support.images.pictures import camera_photo

PHOTOS = 60
EVERY_S = 0.1
VIEWS = 300
COLD_EVERY = 5
"""One view in so many is of a size that has to be made anew."""
COLD = "large.jpg"  # the dearest that pages link; what is prewarmed is cold again when the cache has forgotten it
Timings = dict[str, list[float]]


async def uploaded(session: aiohttp.ClientSession, running: RunningServer, first: int) -> list[str]:
    """The slugs of distinct photographs, of which the medium size is there."""
    slugs, photo = [], camera_photo()
    for number in range(first, first + PHOTOS):
        data = distinct(photo, number)
        async with session.post(f"{running.url}/api/v1/images?filename=a.jpg", data=data) as reply:
            slugs.append((await reply.json())["slug"])
        async with session.get(f"{running.url}/i/{slugs[-1]}/medium.jpg") as picture:
            await picture.read()
    return slugs


async def views(session: aiohttp.ClientSession, running: RunningServer, slugs: list[str]) -> Timings:
    """One view every tenth of a second, whether the one before has ended or not."""
    timings: Timings = {"warm": [], "cold": []}

    async def view(kind: str, address: str) -> None:
        started = time.perf_counter()
        async with session.get(running.url + address) as picture:
            assert picture.status == 200, await picture.text()
            await picture.read()
        timings[kind].append(time.perf_counter() - started)

    tasks = []
    for number in range(VIEWS):
        if number % COLD_EVERY:
            address = ("warm", f"/i/{slugs[number % len(slugs)]}/medium.jpg")
        else:
            address = ("cold", f"/i/{slugs[number // COLD_EVERY]}/{COLD}")
        tasks.append(asyncio.create_task(view(*address)))
        await asyncio.sleep(EVERY_S)
    await asyncio.gather(*tasks)
    return timings


async def giants_without_end(running: RunningServer, paths: list[Path], done: list[str]) -> None:
    for path in itertools.cycle(paths):
        await seen(running, path)
        done.append(path.name)


async def measured(running: RunningServer, paths: list[Path], first: int) -> tuple[Timings, int]:
    """The views' seconds, and how many giants were shown in all sizes meanwhile."""
    async with aiohttp.ClientSession() as session:
        slugs = await uploaded(session, running, first)
        done: list[str] = []
        beside = [asyncio.create_task(giants_without_end(running, paths[at:] + paths[:at], done)) for at in (0, 2)]
        if not paths:
            beside = []
        timings = await views(session, running, slugs)
        for task in beside:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return timings, len(done)


def row(name: str, kind: str, seconds: list[float], giant: int) -> tuple[str, ...]:
    p95 = statistics.quantiles(seconds, n=20)[-1]
    figures = (statistics.median(seconds), p95, max(seconds))
    return (name, kind, str(len(seconds)), *(f"{figure * 1000:.0f}" for figure in figures), str(giant))


async def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="giants-"))
    rows = []
    try:
        paths = [folder / name for name in ("a.jpg", "progressive.jpg", "a.png", "a.tif")]
        giants.jpeg(paths[0], SIDE, SIDE)
        giants.jpeg(paths[1], SIDE, SIDE, progressive=True)
        giants.png(paths[2], SIDE, SIDE)
        giants.tiff(paths[3], SIDE, SIDE, tile=True)
        with server(RENDITIONS_PREWARM="") as running:
            for name, beside, first in (("alone", [], 0), ("beside giants", paths, 1000)):
                timings, count = await measured(running, beside, first)
                timings["all"] = timings["warm"] + timings["cold"]
                rows += [row(name, kind, seconds, count) for kind, seconds in timings.items()]
    finally:
        shutil.rmtree(folder)
    report(
        "views_during_giant_images",
        f"What do giants of {SIDE}x{SIDE} px cost everybody else? Two uploaders send JPEG, progressive JPEG, PNG and\n"
        f"TIFF back to back; a view of a photograph of 2725x2225 px every 100 ms: medium.jpg from the cache, {COLD}\n"
        "made anew",
        ("views", "of", "count", "ms: median", "p95", "longest", "giants seen meanwhile"),
        rows,
    )


if __name__ == "__main__":
    asyncio.run(main())
