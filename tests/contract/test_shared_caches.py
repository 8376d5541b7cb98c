"""How purges are sent, and what is said of a cache that refuses, hangs or is down. Against caches that play along."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web

from appliance.cdn import SharedCaches, shared_caches
from appliance.config.model import Cdn
from appliance.domain.errors import PurgeFailed
from tests.support.shared_caches import StandIn, cloudflare_says, stand_in


@pytest.fixture(params=["http", "cloudflare"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[StandIn]:
    async with stand_in(request.param) as one:
        yield one


@pytest.fixture
async def caches(cache: StandIn) -> AsyncIterator[SharedCaches]:
    one = cache.caches()
    yield one
    await one.close()


async def test_each_call_sends_its_tags(cache: StandIn, caches: SharedCaches) -> None:
    await caches.purge(["one", "two"])
    await caches.purge(["two"])
    assert cache.calls == [["one", "two"], ["two"]]


async def test_as_many_tags_as_are_promised_go_into_one_call(cache: StandIn, caches: SharedCaches) -> None:
    tags = [f"{number:017d}" for number in range(caches.max_tags)]
    await caches.purge(tags)
    assert cache.calls == [tags]


async def test_a_cache_that_asks_to_wait_is_named_with_the_seconds(cache: StandIn, caches: SharedCaches) -> None:
    cache.refusals = [web.Response(status=429, headers={"Retry-After": "12"})]
    with pytest.raises(PurgeFailed, match=r"answered 429 .*too many purges") as caught:
        await caches.purge(["one"])
    assert caught.value.retry_after_s == 12
    await caches.purge(["one"])
    assert cache.forgotten == ["one"]


@pytest.mark.parametrize("retry_after", ["soon", "Wed, 21 Oct 2026 07:28:00 GMT", "-5", "９"])
async def test_a_retry_after_that_is_no_number_is_ignored(
    cache: StandIn, caches: SharedCaches, retry_after: str
) -> None:
    cache.refusals = [web.Response(status=503, headers={"Retry-After": retry_after})]
    with pytest.raises(PurgeFailed) as caught:
        await caches.purge(["one"])
    assert caught.value.retry_after_s is None


@pytest.mark.parametrize(
    ("status", "advice"),
    [(403, "isn't allowed to purge there"), (404, "accepts purges"), (500, "couldn't purge"), (302, "couldn't purge")],
)
async def test_a_refusal_says_what_to_do(cache: StandIn, caches: SharedCaches, status: int, advice: str) -> None:
    cache.refusals = [web.Response(status=status, headers={"Location": "/elsewhere"})]
    with pytest.raises(PurgeFailed, match=rf"answered {status} .*{advice}"):
        await caches.purge(["one"])
    assert cache.calls == []


async def test_a_cache_that_is_down_is_named_as_unreachable(cache: StandIn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        url = f"http://127.0.0.1:{closing.getsockname()[1]}"
    caches = shared_caches(replace(cache.config(), urls=(url,), api_url=url))
    assert caches is not None
    with pytest.raises(PurgeFailed, match="can't be reached"):
        await caches.purge(["one"])
    await caches.close()


async def test_a_cache_that_closes_the_connection_is_named_as_such(cache: StandIn) -> None:
    async def breaking(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(breaking, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        caches = shared_caches(replace(cache.config(), urls=(url,), api_url=url))
        assert caches is not None
        with pytest.raises(PurgeFailed, match="closed the connection"):
            await caches.purge(["one"])
        await caches.close()


async def test_a_cache_that_hangs_is_given_up(cache: StandIn) -> None:
    impatient = cache.caches(read_timeout_s=0.2)
    cache.hangs_until = asyncio.Event()
    with pytest.raises(PurgeFailed, match="didn't answer within"):
        await impatient.purge(["one"])
    cache.hangs_until.set()
    await impatient.close()


async def test_of_several_caches_each_must_confirm() -> None:
    async with stand_in("http") as first, stand_in("http") as second:
        caches = shared_caches(Cdn(purge="http", urls=(first.url, second.url)))
        assert caches is not None
        second.refusals = [web.Response(status=503)]
        with pytest.raises(PurgeFailed, match=second.url):
            await caches.purge(["one"])
        await caches.purge(["one"])
        await caches.close()
    assert (first.calls, second.calls) == ([["one"], ["one"]], [["one"]])


@pytest.mark.parametrize(
    "answer",
    [cloudflare_says(200, 1012, "Request must contain one of"), web.Response(text="<html>"), web.Response(text="[]")],
)
async def test_a_success_that_confirms_nothing_is_none(answer: web.Response) -> None:
    async with stand_in("cloudflare") as cache:
        cache.refusals = [answer]
        caches = cache.caches()
        with pytest.raises(PurgeFailed, match="did not confirm"):
            await caches.purge(["one"])
        await caches.close()


async def test_a_wrong_token_is_refused_and_never_shown() -> None:
    async with stand_in("cloudflare") as cache:
        caches = shared_caches(replace(cache.config(), token="another-secret"))
        assert caches is not None
        with pytest.raises(PurgeFailed, match="Check the token") as caught:
            await caches.purge(["one"])
        assert "another-secret" not in str(caught.value)
        await caches.close()


def test_without_a_configuration_there_is_none() -> None:
    assert shared_caches(Cdn()) is None
