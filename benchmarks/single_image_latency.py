"""How long does one image take: upload to 201, each cold rendition, a cached one, and memory during a 2 GB upload?"""

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator

import aiohttp

from benchmarks.harness import RunningServer, distinct, report, server, spread
from tests.support.images.pictures import camera_photo

UPLOADS = 60
COLD = 25
HOT_S = 5
HOT_CONNECTIONS = 32
LARGE_BYTES = 2 * 10**9
BLOCK = bytes(1 << 20)
SIZES = ("thumbnail.jpg", "small.jpg", "medium.jpg", "large.jpg", "medium.webp", "medium.avif")
Rows = list[tuple[str, str, str]]


async def uploads(url: str, photo: bytes) -> Rows:
    """One after another, each on a connection of its own: from the first byte to the whole reply."""
    took: list[float] = []
    for number in range(UPLOADS):
        async with aiohttp.ClientSession() as session:
            form = aiohttp.FormData()
            form.add_field("file", distinct(photo, number), filename="photo.jpg")
            started = time.perf_counter()
            async with session.post(f"{url}/api/v1/images", data=form) as reply:
                assert reply.status == 201, await reply.text()
                await reply.read()
            took.append(time.perf_counter() - started)
    return [("upload of the 2725x2225 JPEG to 201", spread(took), f"{len(photo):,} bytes, {UPLOADS} distinct")]


async def cold(url: str, photo: bytes) -> Rows:
    """Each size of distinct images, first ever asked for, on a connection of its own."""
    rows: Rows = []
    for place, size in enumerate(SIZES):
        took: list[float] = []
        length = 0
        for number in range(COLD):
            async with aiohttp.ClientSession() as session:
                data = distinct(photo, 1_000 * (place + 1) + number)
                async with session.post(f"{url}/api/v1/images?filename=a.jpg", data=data) as reply:
                    slug = (await reply.json())["slug"]
            async with aiohttp.ClientSession() as session:
                started = time.perf_counter()
                async with session.get(f"{url}/i/{slug}/{size}") as reply:
                    assert reply.status == 200, await reply.text()
                    length = len(await reply.read())
                took.append(time.perf_counter() - started)
        rows.append((f"cold {size}", spread(took), f"{length:,} bytes, {COLD} distinct originals"))
    return rows


async def hot(url: str, photo: bytes) -> Rows:
    """The same small rendition again and again."""
    program = shutil.which("wrk")
    if program is None:
        return [("hot small.jpg", "skipped", "wrk is not installed (Debian package wrk)")]
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/api/v1/images?filename=a.jpg", data=photo) as reply:
            slug = (await reply.json())["slug"]
        async with session.get(f"{url}/i/{slug}/small.jpg") as reply:
            length = len(await reply.read())
    command = [program, "-t1", f"-c{HOT_CONNECTIONS}", f"-d{HOT_S}s", f"{url}/i/{slug}/small.jpg"]
    text = (await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)).stdout
    rate = next(line.split()[1] for line in text.splitlines() if line.startswith("Requests/sec"))
    return [("hot small.jpg", f"{float(rate):,.0f}/s", f"{length:,} bytes, {HOT_CONNECTIONS} connections, one process")]


async def large(running: RunningServer, photo: bytes) -> Rows:
    """A 2 GB file: a photograph with zeros behind it, which decoders do not mind."""
    before = running.memory_bytes()

    async def body() -> AsyncIterator[bytes]:
        yield photo
        for _ in range((LARGE_BYTES - len(photo)) // len(BLOCK)):
            yield BLOCK

    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        started = time.perf_counter()
        async with session.post(f"{running.url}/api/v1/images?filename=large.jpg", data=body()) as reply:
            assert reply.status == 201, await reply.text()
            resource = await reply.json()
        took_s = time.perf_counter() - started
    peak = running.memory_bytes("VmHWM")
    rate = resource["bytes"] / took_s / 1e6
    return [
        ("upload of 2 GB to 201", f"{took_s * 1000:,.0f}", f"{rate:,.0f} MB/s, chunked, shareable with the reply"),
        ("growth of the server's memory by it", f"{(peak - before) / 1e6:.1f} MB", f"from {before / 1e6:.0f} MB"),
    ]


async def main() -> None:
    photo = camera_photo()
    rows: Rows = []
    with server() as running:
        rows += await uploads(running.url, photo)
        rows += await large(running, photo)
    with server(RENDITIONS_PREWARM="") as running:
        rows += await cold(running.url, photo)
        rows += await hot(running.url, photo)
    report(
        "single_image_latency",
        "How long does the main job take? (no prewarming in the cold and hot rows)",
        ("what", "ms: median (p5-p95)", "of"),
        rows,
    )


if __name__ == "__main__":
    asyncio.run(main())
