"""Bodies that nobody reads, since their requests are refused or wait: little of them is kept, and not for long."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import StreamReader, web
from aiohttp.web_protocol import _ErrInfo

from appliance.container import site_of
from appliance.http.transport.connections import RECV_BYTES, SMALL_BYTES, UNREAD_BYTES, HttpConnection, Runner
from tests.support.host import Host, OpenHost
from tests.support.limits import only
from tests.support.waiting import until
from tests.support.wire import Wire, wires

LENGTH = 4_000_000
ENDLESS_S = 3600.0
UPLOAD = f"POST /api/v1/images HTTP/1.1\r\nHost: here\r\nContent-Length: {LENGTH}\r\n\r\n"


class Site:
    """A host over the connections that a server makes, whose requests to /held wait for `end` with their bodies."""

    def __init__(self, host: Host) -> None:
        self.held: list[web.Request] = []
        self.end = asyncio.Event()
        site = site_of(host.appliance)
        site.router.add_post("/held", self._hold)
        self.runner = Runner(site, access_log=None, handle_signals=False, lingering_time=ENDLESS_S)

    @property
    def port(self) -> int:
        return int(self.runner.addresses[0][1])

    async def _hold(self, request: web.Request) -> web.Response:
        self.held.append(request)
        await self.end.wait()
        return web.Response()


@pytest.fixture
async def site(open_host: OpenHost) -> AsyncIterator[Site]:
    """One whose limits refuse every upload but the first of a client."""
    found = Site(await open_host(limits=only(address_uploads=1)))
    await found.runner.setup()
    await web.TCPSite(found.runner, "127.0.0.1", 0).start()
    yield found
    found.end.set()
    await found.runner.cleanup()


def connections() -> int:
    """How many connections have a task."""
    return sum("RequestHandler.start" in repr(task) for task in asyncio.all_tasks())


async def refused(wire: Wire) -> None:
    await wire.send(UPLOAD + "x" * 100_000)
    assert (await wire.head()).startswith("HTTP/1.1 429 ")


@pytest.fixture
async def used_up(site: Site, jpeg: bytes) -> Site:
    """The same, behind the first upload."""
    async with wires(site.port, 1) as (wire,):
        head = f"POST /api/v1/images HTTP/1.1\r\nHost: here\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        await wire.send(head.encode() + jpeg)
        assert (await wire.head()).startswith("HTTP/1.1 201 ")
    return site


async def test_a_body_that_waits_stays_in_the_kernel(site: Site) -> None:
    async with wires(site.port, 8) as held, asyncio.TaskGroup() as sending:
        tasks = [
            sending.create_task(wire.send(UPLOAD.replace("/api/v1/images", "/held") + "x" * LENGTH)) for wire in held
        ]
        await until(lambda: sum(one.content._size > 2 * UNREAD_BYTES for one in site.held) == len(held))
        assert max(one.content._size for one in site.held) <= 2 * UNREAD_BYTES + RECV_BYTES
        for task in tasks:
            task.cancel()


async def test_a_client_that_goes_after_its_refusal_leaves_nothing_behind(used_up: Site) -> None:
    async with wires(used_up.port, 8) as many:
        for wire in many:
            await refused(wire)
        assert connections() == len(many)
    await until(lambda: connections() == 0)


async def test_the_connection_ends_with_a_large_body_that_was_refused(used_up: Site) -> None:
    async with wires(used_up.port, 1) as (wire,):
        await wire.send(UPLOAD + "x" * LENGTH)
        assert "Connection: close" in await wire.head()
        await until(lambda: connections() == 0)


async def test_nothing_of_a_refused_body_is_kept_while_the_rest_is_dropped(
    used_up: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_bytes, finish = list[int](), HttpConnection._drop

    async def noted(self: HttpConnection, transport: asyncio.Transport, body: StreamReader, left: int | None) -> None:
        dropping = asyncio.ensure_future(finish(self, transport, body, left))
        await asyncio.sleep(0)
        kept_bytes.append(body._size)
        await dropping

    monkeypatch.setattr(HttpConnection, "_drop", noted)
    async with wires(used_up.port, 1) as (wire,):
        await wire.send(UPLOAD + "x" * LENGTH)
        assert (await wire.head()).startswith("HTTP/1.1 429 ")
        await until(lambda: connections() == 0)
    assert kept_bytes == [0]


async def test_the_connection_outlives_a_small_body_that_was_refused(used_up: Site) -> None:
    upload = UPLOAD.replace(str(LENGTH), str(SMALL_BYTES))
    async with wires(used_up.port, 1) as (wire,):
        for _ in range(2):
            await wire.send(upload)
            head = await wire.head()
            assert head.startswith("HTTP/1.1 429 ") and "Connection: close" not in head
            await wire.send("x" * SMALL_BYTES)
            length = int(head.partition("Content-Length: ")[2].partition("\r")[0])
            assert b"rate-limited" in await wire.some(length)


async def test_a_client_that_reads_when_it_has_sent_everything_sees_the_refusal(used_up: Site) -> None:
    async with wires(used_up.port, 1) as (wire,):
        await wire.send(UPLOAD + "x" * LENGTH)
        assert (await wire.head()).startswith("HTTP/1.1 429 ")


async def test_bytes_behind_what_is_no_http_are_not_kept(site: Site) -> None:
    head = "POST /held HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
    async with wires(site.port, 1) as (wire,):
        await wire.send(head)
        await until(lambda: len(site.held) == 1)
        unread = site.held[0].protocol._messages
        for _ in range(40):
            await wire.send(b"\xff" * RECV_BYTES)
            await until(lambda: len(unread) > 0)
        ((error, _),) = unread
        assert isinstance(error, _ErrInfo)
        assert (error.exc.__traceback__, str(error.exc), error.message) == (None, "400, message:\n  Bad Request", "")
