"""How long does a tile take over HTTP: from a finished pyramid, from memory, and from ordinary originals?

Tiles are asked for one at a time, since a viewer waits for each; then all of them again.
"""

import asyncio
import time

import aiohttp

from benchmarks.harness import RunningServer, report, server, spread
from tests.support.images.pictures import photo

LARGE, ORDINARY = (12_000, 9000), (4000, 3000)
TILE_PX, TILES = 512, 200
WAITING_S = 120


async def _upload(session: aiohttp.ClientSession, running: RunningServer, size: tuple[int, int]) -> str:
    async with session.post(f"{running.url}/api/v1/images?filename=a.jpg", data=photo(*size)) as reply:
        assert reply.status == 201, await reply.text()
        return f"{running.url}/iiif/3/{(await reply.json())['slug']}"


async def _pyramid(running: RunningServer) -> float:
    """Seconds until the first pyramid is there."""
    began = time.perf_counter()
    while not list((running.data_dir / "cache" / "pyramids").rglob("*.tif")):
        assert time.perf_counter() - began < WAITING_S
        await asyncio.sleep(0.02)
    return time.perf_counter() - began


def _tiles(size: tuple[int, int]) -> list[str]:
    """Whole tiles at full size, spread over the picture."""
    columns, rows = size[0] // TILE_PX, size[1] // TILE_PX
    every = [(x, y) for y in range(rows) for x in range(columns)]
    chosen = every[:: max(1, len(every) // TILES)][:TILES]
    return [f"{x * TILE_PX},{y * TILE_PX},{TILE_PX},{TILE_PX}/{TILE_PX},{TILE_PX}/0/default.jpg" for x, y in chosen]


async def _seconds(session: aiohttp.ClientSession, base: str, tiles: list[str]) -> list[float]:
    found = []
    for tile in tiles:
        began = time.perf_counter()
        async with session.get(f"{base}/{tile}") as reply:
            assert reply.status == 200, await reply.text()
            await reply.read()
        found.append(time.perf_counter() - began)
    return found


async def _view(session: aiohttp.ClientSession, base: str, tiles: list[str]) -> list[float]:
    """Eight at once, as a viewer asks: seconds until all are there."""
    found = []
    for first in range(0, len(tiles) - 7, 8):
        began = time.perf_counter()
        await asyncio.gather(*(_seconds(session, base, [tile]) for tile in tiles[first : first + 8]))
        found.append(time.perf_counter() - began)
    return found


async def main() -> None:
    rows: list[tuple[str, str, str]] = []
    with server() as running:
        async with aiohttp.ClientSession() as session:
            base = await _upload(session, running, LARGE)
            built_s = await _pyramid(running)
            tiles = _tiles(LARGE)
            first = await _seconds(session, base, tiles)
            rows.append(("from the pyramid, one by one", spread(first), str(len(first))))
            rows.append(("again, from memory", spread(await _seconds(session, base, tiles)), str(len(tiles))))
            shifted = [tile.replace("/0/default.jpg", "/0/default.webp") for tile in tiles]
            rows.append(("from the pyramid, 8 at once, WebP", spread(await _view(session, base, shifted)), "views"))
            base, tiles = await _upload(session, running, ORDINARY), _tiles(ORDINARY)
            rows.append(
                ("12 MP, from the original, one by one", spread(await _seconds(session, base, tiles)), str(len(tiles)))
            )
            base = await _upload(session, running, (ORDINARY[0] + 1, ORDINARY[1]))
            rows.append(("12 MP, from the original, 8 at once", spread(await _view(session, base, tiles)), "views"))
    question = (
        f"Tiles of {TILE_PX} px over HTTP. The pyramid of {LARGE[0]}x{LARGE[1]} was ready {built_s:.1f} s after the "
        "upload's reply, after the four presets"
    )
    report("tile_latency", question, ("tile", "ms: median (p5-p95)", "count"), rows)


if __name__ == "__main__":
    asyncio.run(main())
