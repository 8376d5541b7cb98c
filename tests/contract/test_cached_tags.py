"""The contract of `SharedCaches`: what is purged is served no more, and nothing else goes. With caches that hold it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from appliance.cdn import PROBE_TAG, SharedCaches, shared_caches
from appliance.config.model import Cdn
from tests.support.shared_caches import StandIn, stand_in
from tests.support.varnish import Varnish, varnish

SLUGS = [f"1yNqEvM1Xh6dna{number:03d}" for number in range(100)]


class HeldCache(Protocol):
    """A cache that can be filled and looked into."""

    def config(self) -> Cdn:
        """What lets a host purge it."""

    async def fill(self, tags: Sequence[str]) -> None:
        """Have it hold a response for each tag."""

    async def holds(self, tag: str) -> bool:
        """Whether it would serve that response by itself."""


@dataclass
class HeldByStandIn:
    """A stand-in, and what it would hold by the purges that it was sent."""

    cache: StandIn
    filled: set[str] = field(default_factory=set)

    def config(self) -> Cdn:
        return self.cache.config()

    async def fill(self, tags: Sequence[str]) -> None:
        self.filled.update(tags)

    async def holds(self, tag: str) -> bool:
        return tag in self.filled - set(self.cache.forgotten)


@dataclass
class HeldByVarnish:
    """A real Varnish before a host whose every answer carries the name that was asked for as its tag."""

    cache: Varnish

    def config(self) -> Cdn:
        return Cdn(purge="http", urls=(self.cache.url,))

    async def fill(self, tags: Sequence[str]) -> None:
        await asyncio.gather(*(self.cache.get(f"/{tag}") for tag in tags))

    async def holds(self, tag: str) -> bool:
        return (await self.cache.get(f"/{tag}"))[2]


async def tagged(request: web.Request) -> web.Response:
    headers = {"Cache-Tag": request.path[1:], "Cache-Control": "public, max-age=3600"}
    return web.Response(text=request.path, headers=headers)


@pytest.fixture(params=["varnish", "http", "cloudflare"])
async def held(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HeldCache]:
    if request.param != "varnish":
        async with stand_in(request.param) as cache:
            yield HeldByStandIn(cache)
        return
    app = web.Application()
    app.router.add_get("/{tag}", tagged)
    async with TestServer(app) as server:
        assert server.port is not None
        async with varnish(tmp_path, server.port) as real:
            yield HeldByVarnish(real)


@pytest.fixture
async def caches(held: HeldCache) -> AsyncIterator[SharedCaches]:
    opened = shared_caches(held.config())
    assert opened is not None
    yield opened
    await opened.close()


async def test_what_is_purged_is_served_no_more_and_everything_else_stays(
    held: HeldCache, caches: SharedCaches
) -> None:
    await held.fill(SLUGS[:4])
    assert all([await held.holds(tag) for tag in SLUGS[:4]])
    await caches.purge(SLUGS[:2])
    assert [await held.holds(tag) for tag in SLUGS[:4]] == [False, False, True, True]


async def test_as_many_tags_as_one_call_may_have_are_all_purged(held: HeldCache, caches: SharedCaches) -> None:
    tags = SLUGS[: caches.max_tags]
    assert len(tags) == caches.max_tags
    await held.fill([*tags, "another"])
    await caches.purge(tags)
    assert await held.holds("another")
    assert not any([await held.holds(tag) for tag in tags])


async def test_purging_twice_and_purging_what_nothing_carries_is_fine(held: HeldCache, caches: SharedCaches) -> None:
    await held.fill(SLUGS[:2])
    for tag in (SLUGS[0], SLUGS[0], "nothing-carries-it", PROBE_TAG):
        await caches.purge([tag])
    assert await held.holds(SLUGS[1])
    assert not await held.holds(SLUGS[0])


async def test_a_tag_that_begins_another_one_leaves_it(held: HeldCache, caches: SharedCaches) -> None:
    longer = SLUGS[0] + "Z"
    await held.fill([SLUGS[0], longer])
    await caches.purge([SLUGS[0]])
    assert await held.holds(longer)
