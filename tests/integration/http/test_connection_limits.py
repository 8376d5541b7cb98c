"""Connections by the address at their other end: how many one may have, and what happens when there is no room."""

import asyncio
import logging
import resource
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from appliance.config.model import Server
from appliance.http.keys import OPEN_CONNECTIONS
from appliance.http.transport.open_connections import OpenConnections
from appliance.server.sockets import ACCEPTED_AT_ONCE, UNREAD_S, UNSENT_BYTES, AcceptFaults, listen
from tests.support.host import Host, OpenHost
from tests.support.programs import free_port
from tests.support.server_process import serving
from tests.support.waiting import until
from tests.support.wire import Wire, wires

VIEW = "GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"


def open_connections(host: Host) -> OpenConnections:
    """Its connections have settled as soon as they have come."""
    found: OpenConnections = host.client.app[OPEN_CONNECTIONS]
    found.min_age_s = 0
    return found


async def answered(wire: Wire) -> None:
    await wire.send(VIEW)
    assert (await wire.head()).startswith("HTTP/1.1 200 ")


async def test_beyond_its_share_an_address_loses_the_connection_that_is_idle_for_longest(host: Host) -> None:
    open_connections(host).max_per_address = 4
    async with wires(host.port, 4, "127.0.0.2") as held, wires(host.port, 1, "127.0.0.3") as (other,):
        await until(lambda: open_connections(host).count == 5)
        newest = await Wire.to(host.port, "127.0.0.2")
        assert await held[0].rest() == b""
        for wire in [*held[1:], newest, other]:
            await answered(wire)
        newest.abort()


async def test_when_there_is_no_room_the_address_with_most_connections_gives_one_up(host: Host) -> None:
    open_connections(host).max_connections = 6
    async with wires(host.port, 4, "127.0.0.2") as many, wires(host.port, 2, "127.0.0.3") as few:
        await until(lambda: open_connections(host).count == 6)
        newcomer = await Wire.to(host.port, "127.0.0.4")
        await answered(newcomer)
        assert await many[0].rest() == b""
        for wire in few:
            await answered(wire)
        newcomer.abort()


async def test_an_address_whose_connections_are_all_in_use_gets_no_more(host: Host) -> None:
    open_connections(host).max_per_address = 2
    body = "POST /api/v1/albums HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    async with wires(host.port, 2, "127.0.0.2") as held:
        for wire in held:
            await wire.send(body)
        await until(lambda: open_connections(host).idle_count == 0)
        refused = await Wire.to(host.port, "127.0.0.2")
        assert await refused.rest() == b""
        refused.abort()
        assert open_connections(host).count == 2


async def test_a_flood_of_connections_does_not_push_itself_out(host: Host) -> None:
    found = open_connections(host)
    found.max_per_address, found.min_age_s = 2, 3600
    async with wires(host.port, 2, "127.0.0.2") as held:
        await until(lambda: found.count == 2)
        assert found.would_refuse("127.0.0.2")
        assert not found.would_refuse("127.0.0.3")
        refused = await Wire.to(host.port, "127.0.0.2")
        assert await refused.rest() == b""
        refused.abort()
        for wire in held:
            await answered(wire)
        found.min_age_s = 0
        assert not found.would_refuse("127.0.0.2")


async def test_a_trusted_proxy_has_as_many_connections_as_it_needs(open_host: OpenHost) -> None:
    host = await open_host(server=Server(trusted_proxies=("127.0.0.2",)))
    open_connections(host).max_per_address = 2
    async with wires(host.port, 9, "127.0.0.2") as held:
        for wire in held:
            await answered(wire)
        assert open_connections(host).count == 9
    await until(lambda: open_connections(host).count == 0)


async def test_connections_that_say_nothing_keep_no_other_address_out(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession(served.url) as session:
        used = _open_files(served.pid)
        resource.prlimit(served.pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
        async with wires(served.port, 60, "127.0.0.2"):
            await until(lambda: _told(served.log_lines()) == 1, "the fault is logged")
        async with session.get("/healthz") as reply:
            assert reply.status == 200
        assert _told(served.log_lines()) == 1
        assert "Traceback" not in served.log.read_text()


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _told(lines: list[dict[str, Any]]) -> int:
    return sum("can't accept connections" in line["message"] for line in lines)


async def test_the_server_takes_as_many_open_files_as_it_may_have(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served:
        soft, hard = resource.prlimit(served.pid, resource.RLIMIT_NOFILE)
    assert soft == min(65_536, hard)


def test_faults_of_accepting_make_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    faults, loop = AcceptFaults(), Loop()
    fault = {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many open files")}
    with caplog.at_level(logging.INFO):
        for _ in range(1000):
            faults(loop, fault)  # type: ignore[arg-type]
    (line,) = caplog.records
    assert (line.exc_info, loop.other) == (None, [])
    faults(loop, {"message": "something else"})  # type: ignore[arg-type]
    assert loop.other == [{"message": "something else"}]


class Loop:
    """An event loop's own handler of what nobody else handles."""

    def __init__(self) -> None:
        self.other: list[dict[str, Any]] = []

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.other.append(context)


async def test_a_head_that_drips_ends(host: Host) -> None:
    open_connections(host).first_head_s = 0.3
    async with wires(host.port, 1) as (wire,):
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await wire.drip("GET / HTTP/1.1\r\nHost: " + "h" * 1000, 0.05)
    await until(lambda: open_connections(host).count == 0)


@asynccontextmanager
async def listening(turns_away: Callable[[str], bool] | None = None) -> AsyncIterator[str]:
    """The address of a small site on sockets of ours, which answers with the options of the caller's connection."""

    async def show(request: web.Request) -> web.Response:
        assert request.transport is not None
        accepted = request.transport.get_extra_info("socket")
        options = (socket.TCP_USER_TIMEOUT, socket.TCP_NOTSENT_LOWAT)
        return web.json_response([accepted.getsockopt(socket.IPPROTO_TCP, option) for option in options])

    app = web.Application()
    app.router.add_get("/", show)
    runner, port = web.AppRunner(app), free_port()
    await runner.setup()
    try:
        await listen(runner, f"127.0.0.1:{port}", [], turns_away)
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


async def test_the_kernel_ends_who_acknowledges_nothing_and_holds_little_for_who_reads_nothing() -> None:
    async with listening() as url, aiohttp.ClientSession() as session, session.get(url) as reply:
        assert await reply.json() == [UNREAD_S * 1000, UNSENT_BYTES]


async def test_a_connection_that_is_turned_away_is_never_made() -> None:
    asked: list[str] = []

    def turns_away(address: str) -> bool:
        asked.append(address)
        return address == "127.0.0.2"

    async with listening(turns_away) as url:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))) as session:
            for _ in range(ACCEPTED_AT_ONCE + 1):
                with pytest.raises(aiohttp.ClientError):
                    await session.post(url)
        async with aiohttp.ClientSession() as session, session.get(url) as reply:
            assert reply.status == 200
    assert set(asked) == {"127.0.0.1", "127.0.0.2"}
