"""Debian's Varnish before the real server: it answers by itself, and never with what is gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.host import bearer
from tests.support.programs import free_port
from tests.support.server_process import ServerProcess
from tests.support.varnish import Varnish, varnish
from tests.support.waiting import until

SIZES = ["thumbnail.jpg", "small.jpg", "small.webp", "preview.jpg", "original"]


@dataclass
class Front:
    """A server, the cache before it, and the address that purges go to."""

    served: ServerProcess
    cache: Varnish
    session: aiohttp.ClientSession

    async def upload(self, data: bytes, **query: str) -> dict[str, Any]:
        query |= {"filename": "a.jpg"}
        async with self.session.post(f"{self.served.url}/api/v1/images", params=query, data=data) as reply:
            resource: dict[str, Any] = await reply.json()
            return resource

    async def delete(self, mine: dict[str, Any]) -> None:
        where = f"{self.served.url}/api/v1/images/{mine['slug']}"
        async with self.session.delete(where, headers=bearer(mine["delete_token"])) as reply:
            assert reply.status == 204

    async def bring_back(self, mine: dict[str, Any]) -> None:
        where = f"{self.served.url}/api/v1/images/{mine['slug']}"
        async with self.session.patch(where, headers=bearer(mine["delete_token"]), json={"deleted": False}) as reply:
            assert reply.status == 200

    async def is_gone(self, path: str) -> bool:
        return (await self.cache.get(path))[0] == 410


@contextlib.asynccontextmanager
async def fronted(folder: Path, *, purged_at: int | None = None) -> AsyncIterator[Front]:
    """Purges go to the cache itself, unless to another port."""
    served = ServerProcess(folder / "data")
    async with varnish(folder, served.port) as cache, aiohttp.ClientSession() as session:
        url = cache.url if purged_at is None else f"http://127.0.0.1:{purged_at}"
        served.environment |= {"APPLIANCE_CDN_PURGE": "http", "APPLIANCE_CDN_URLS": url}
        try:
            await served.start()
            yield Front(served, cache, session)
        finally:
            served.abandon()


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    async with fronted(tmp_path) as one:
        yield one


async def test_repeated_views_are_the_caches_own(front: Front, jpeg: bytes) -> None:
    images = [await front.upload(jpeg) for _ in range(3)]
    paths = [f"/i/{image['slug']}/{size}" for image in images for size in SIZES]
    paths += [f"/iiif/3/{image['slug']}/0,0,100,100/max/0/default.jpg" for image in images]
    first = {path: await front.cache.get(path) for path in paths}
    for _ in range(9):
        for path in paths:
            assert await front.cache.get(path) == (200, first[path][1], True)
    assert (front.cache.hits, front.cache.views) == (9 * len(paths), 10 * len(paths))


async def test_a_range_comes_out_of_the_kept_original(front: Front, jpeg: bytes) -> None:
    original = f"/i/{(await front.upload(jpeg))['slug']}/original"
    whole = (await front.cache.get(original))[1]
    status, part, hit = await front.cache.get(original, Range="bytes=100-199")
    assert (status, part, hit) == (206, whole[100:200], True)


async def test_pages_and_what_differs_by_accept_are_asked_for_each_time(front: Front, jpeg: bytes) -> None:
    slug = (await front.upload(jpeg))["slug"]
    for path in (f"/i/{slug}", f"/i/{slug}/small", f"/iiif/3/{slug}/info.json", f"/api/v1/images/{slug}"):
        assert [(await front.cache.get(path))[2] for _ in range(2)] == [False, False], path


async def test_no_byte_is_shown_after_a_deletion_and_all_again_after_its_undo(front: Front, jpeg: bytes) -> None:
    mine, other = await front.upload(jpeg), await front.upload(jpeg)
    paths = [f"/i/{mine['slug']}/{size}" for size in SIZES]
    kept = f"/i/{other['slug']}/small.jpg"
    shown = [await front.cache.get(path) for path in [*paths, kept]]
    await front.delete(mine)
    await until(lambda: front.is_gone(paths[0]), "the image is gone")
    for path in paths:  # one purge for all of them
        status, body, _ = await front.cache.get(path)
        assert status == 410
        assert body not in [before for _, before, _ in shown]
    assert (await front.cache.get(kept))[2], "another image's answer was thrown away as well"
    await front.bring_back(mine)
    assert [(await front.cache.get(path))[:2] for path in paths] == [before[:2] for before in shown[:-1]]


async def test_no_byte_is_shown_after_the_expiry(front: Front, jpeg: bytes) -> None:
    mine = await front.upload(jpeg, expires_in="12")
    path = f"/i/{mine['slug']}/small.jpg"
    assert [(await front.cache.get(path))[2] for _ in range(2)] == [False, True]
    await until(lambda: front.is_gone(path), "the image expires in the cache")


async def test_a_purge_is_made_again_until_the_cache_can_be_reached(tmp_path: Path, jpeg: bytes) -> None:
    """The way to it is closed at first, so that it keeps what it has: a cache that restarts forgets by itself."""
    port = free_port()
    async with fronted(tmp_path, purged_at=port) as front:
        mine = await front.upload(jpeg)
        path = f"/i/{mine['slug']}/original"
        await front.cache.get(path)
        await front.delete(mine)
        await until(lambda: "are waiting to be purged" in front.served.words(), "the failure is logged")
        assert await front.cache.get(path) == (200, jpeg, True)  # it can't know yet
        async with relayed(port, front.cache.server.port):
            await until(lambda: front.is_gone(path), "the purge is made again")


async def test_a_cache_that_is_down_is_purged_when_it_is_back(front: Front, jpeg: bytes) -> None:
    mine = await front.upload(jpeg)
    path = f"/i/{mine['slug']}/small.jpg"
    await front.cache.get(path)
    await asyncio.to_thread(front.cache.server.stop)
    await front.delete(mine)
    await until(lambda: "1 tags are waiting to be purged" in front.served.words(), "the failure is logged")
    await asyncio.to_thread(front.cache.server.start)
    assert await front.is_gone(path)
    await until(lambda: '"waiting_to_be_purged": 0' in front.served.command("status").stdout, "nothing waits")


async def test_only_those_whom_the_page_names_may_purge_and_by_tags_alone(front: Front, jpeg: bytes) -> None:
    path = f"/i/{(await front.upload(jpeg))['slug']}/small.jpg"
    await front.cache.get(path)
    for tag in ("", ".*", "a || obj.status == 200", "a|", "a b"):
        async with front.session.request("PURGE", front.cache.url, headers={"X-Purge-Tag": tag}) as reply:
            assert reply.status == 400, tag
    assert (await front.cache.get(path))[2]


@contextlib.asynccontextmanager
async def relayed(port: int, to: int) -> AsyncIterator[None]:
    """Whoever connects to the port reaches the other one."""

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(pour(reader, back), pour(there, writer))

    server = await asyncio.start_server(relay, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
