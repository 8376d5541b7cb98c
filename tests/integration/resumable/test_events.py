"""An upload's progress as server-sent events: what is told, when it ends, and what bounds it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientResponse, web

from appliance.http.keys import EVENT_STREAMS
from tests.support.host import DAY_S, Host, problem
from tests.support.server_process import serving
from tests.support.tus_client import UPLOADS, VERSION, Tus
from tests.support.waiting import until

PATIENCE_S = 30


@asynccontextmanager
async def listening(host: Host, slug: str) -> AsyncIterator[ClientResponse]:
    async with asyncio.timeout(PATIENCE_S), host.client.get(f"/api/v1/images/{slug}/events") as response:
        yield response


async def next_event(response: ClientResponse) -> tuple[str, Any] | None:
    """The next event's name and data; None at the end of the stream. Comments are passed over."""
    name = ""
    while line := (await response.content.readline()).decode():
        field, _, value = line.rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            return name, json.loads(value)
    return None


async def test_events_tell_progress_then_the_image_and_end(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(None)
    slug = await tus.slug(where)
    async with listening(tus.host, slug) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-store, no-transform"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert await next_event(response) == ("progress", {"state": "receiving", "offset": 0, "length": None})
        await tus.patch(where, 0, jpeg[:1000], {"Upload-Length": str(len(jpeg))})
        assert await next_event(response) == (
            "progress",
            {"state": "receiving", "offset": 1000, "length": len(jpeg)},
        )
        await tus.patch(where, 1000, jpeg[1000:])
        event = await next_event(response)
        assert event is not None
        assert (event[0], event[1]["slug"], event[1]["state"]) == ("done", slug, "ready")
        assert "delete_token" not in event[1]
        assert await next_event(response) is None


async def test_events_of_an_image_that_is_here_say_so_at_once(tus: Tus, jpeg: bytes) -> None:
    slug = await tus.slug(await tus.whole(jpeg))
    async with listening(tus.host, slug) as response:
        event = await next_event(response)
        assert event is not None
        assert event[0] == "done"
        assert await next_event(response) is None


@pytest.mark.parametrize("how", ["refused", "terminated", "abandoned"])
async def test_events_of_an_upload_that_becomes_nothing_say_that_it_is_gone(tus: Tus, how: str) -> None:
    where = await tus.create(5)
    await tus.patch(where, 0, b"w")
    async with listening(tus.host, await tus.slug(where)) as response:
        await next_event(response)
        if how == "refused":
            await tus.patch(where, 1, b"ords")
        elif how == "terminated":
            await tus.delete(where)
        else:
            tus.host.clock.forward(DAY_S)
        while (event := await next_event(response)) is not None and event[0] == "progress":
            pass
        assert event is not None
        assert (event[0], event[1]["code"]) == ("gone", "gone")
        assert await next_event(response) is None


async def test_events_of_an_unknown_link_are_not_found(host: Host) -> None:
    await problem(await host.get("/api/v1/images/0000aaaaaaaaaaaaa/events"), "not-found")


async def test_only_so_many_may_listen_at_once_and_who_leaves_makes_room(tus: Tus, jpeg: bytes) -> None:
    audience = tus.host.client.app[EVENT_STREAMS].limit
    audience.limit = 2
    slug = await tus.slug(await tus.create(len(jpeg)))
    async with listening(tus.host, slug) as first:
        async with listening(tus.host, slug) as second:
            await next_event(first)
            await next_event(second)
            told = await problem(await tus.host.get(f"/api/v1/images/{slug}/events"), "busy")
            assert told["limit"] == 2
        await until(lambda: audience.in_use == 1)
        async with listening(tus.host, slug) as third:
            assert await next_event(third) is not None
    await until(lambda: audience.in_use == 0)


async def test_one_address_does_not_take_every_place_to_listen(tus: Tus, jpeg: bytes) -> None:
    audience = tus.host.client.app[EVENT_STREAMS].limit
    audience.limit = 36
    slug = await tus.slug(await tus.create(len(jpeg)))
    async with AsyncExitStack() as stack:
        for _ in range(9):
            await next_event(await stack.enter_async_context(listening(tus.host, slug)))
        told = await problem(await tus.host.get(f"/api/v1/images/{slug}/events"), "busy")
        assert (told["limit"], told["actual"]) == (9, 9)
        async with audience.permit("203.0.113.9"):
            assert audience.in_use == 10
    await until(lambda: audience.in_use == 0)
    async with listening(tus.host, slug) as response:
        assert await next_event(response) is not None


async def test_a_comment_is_sent_while_nothing_arrives(tus: Tus, jpeg: bytes) -> None:
    tus.host.client.app[EVENT_STREAMS].heartbeat_s = 0.0
    slug = await tus.slug(await tus.create(len(jpeg)))
    async with listening(tus.host, slug) as response:
        await next_event(response)
        assert await response.content.readline() == b"\n"
        assert await response.content.readline() == b":\n"


async def test_a_listener_who_does_not_read_the_end_is_no_fault(
    tus: Tus, jpeg: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slug = await tus.slug(await tus.whole(jpeg))

    async def stuck(_response: web.StreamResponse, _data: bytes = b"") -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(web.StreamResponse, "write_eof", stuck)
    tus.host.client.app[EVENT_STREAMS].write_timeout_s = 0.01
    async with listening(tus.host, slug) as response:
        assert await next_event(response) is not None
        with pytest.raises(aiohttp.ClientError):
            await response.content.read()
    assert [record for record in caplog.records if record.levelname in ("ERROR", "WARNING")] == []


async def test_a_server_that_stops_closes_the_events_at_once(tmp_path: Path, jpeg: bytes) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession(served.url) as session:
        async with session.post(UPLOADS, headers=VERSION | {"Upload-Length": str(len(jpeg))}) as reply:
            where = reply.headers["Location"]
        async with session.get(where) as reply:
            slug = (await reply.json())["image"]["slug"]
        async with session.get(f"/api/v1/images/{slug}/events") as response:
            await next_event(response)
            stopping = asyncio.create_task(served.stop())
            async with asyncio.timeout(PATIENCE_S):
                assert await next_event(response) is None
        assert await stopping == 0
