"""Clients that do not read what they asked for: their connections end, and what these held is free again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from appliance.config.model import Server
from appliance.http.keys import DOWNLOADS, OPEN_CONNECTIONS
from appliance.http.transport.open_connections import OpenConnections
from appliance.shared.concurrency_limit import ConcurrencyLimit
from tests.support.host import Host, OpenHost
from tests.support.images.noise import padded
from tests.support.waiting import until
from tests.support.wire import Wire, wires

LARGE = 12_000_000  # more than the kernel holds for a client that does not read


@pytest.fixture
async def host(open_host: OpenHost) -> Host:
    return await open_host(server=Server(trusted_proxies=("127.0.0.1",)))


def open_connections(host: Host) -> OpenConnections:
    found: OpenConnections = host.client.app[OPEN_CONNECTIONS]
    return found


def downloads(host: Host) -> ConcurrencyLimit:
    found: ConcurrencyLimit = host.client.app[DOWNLOADS]
    return found


@pytest.fixture
async def path(host: Host, jpeg: bytes) -> str:
    """A large original."""
    image = await host.upload(padded(LARGE, 1))
    return f"/i/{image['slug']}/original"


async def asked(wire: Wire, path: str, address: str = "203.0.113.1") -> None:
    await wire.send(f"GET {path} HTTP/1.1\r\nHost: here\r\nX-Forwarded-For: {address}\r\n\r\n")
    assert (await wire.head()).startswith("HTTP/1.1 200 ")


@asynccontextmanager
async def looking(host: Host) -> AsyncIterator[None]:
    """While the block lasts, stalled connections are looked for more often than every ten seconds."""

    async def look() -> None:
        while True:
            open_connections(host).close_stalled(asyncio.get_running_loop().time())
            await asyncio.sleep(0.1)

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        task.cancel()


async def test_a_client_that_reads_nothing_of_an_original_ends(host: Host, path: str) -> None:
    open_connections(host).window_s = 0.3
    async with wires(host.port, 1) as (wire,):
        await asked(wire, path)
        await until(lambda: downloads(host).in_use == 1)
        async with looking(host):
            await until(lambda: downloads(host).in_use == 0)
        assert len(await wire.rest()) < LARGE


async def test_a_client_that_reads_a_few_bytes_a_second_ends(host: Host, path: str) -> None:
    open_connections(host).window_s = 1
    async with wires(host.port, 1) as (wire,):
        await asked(wire, path)
        async with looking(host):
            try:
                async with asyncio.timeout(60):
                    while downloads(host).in_use:
                        await wire.some(2)
                        await asyncio.sleep(0.02)
            except ConnectionError:
                await until(lambda: downloads(host).in_use == 0)


async def test_a_client_that_reads_slowly_but_reads_has_the_whole(host: Host, path: str) -> None:
    open_connections(host).window_s = 1
    async with wires(host.port, 1) as (wire,):
        await asked(wire, path)
        taken = 0
        async with looking(host):
            while taken < LARGE:
                block = await wire.some(65_536)
                assert block, taken
                taken += len(block)
                await asyncio.sleep(0.01)
    assert taken == LARGE


async def test_an_album_that_nobody_reads_ends(host: Host, path: str) -> None:
    open_connections(host).window_s = 0.3
    made = await host.client.post("/api/v1/albums", json={"images": [path.split("/")[2]]})
    album = (await made.json())["slug"]
    async with wires(host.port, 1) as (wire,):
        await asked(wire, f"/a/{album}/zip")
        await until(lambda: downloads(host).in_use == 1)
        async with looking(host):
            await until(lambda: downloads(host).in_use == 0)
        assert len(await wire.rest()) < LARGE


async def test_the_places_of_two_addresses_that_do_not_read_go_to_a_third(host: Host, path: str) -> None:
    downloads(host).limit = 16
    async with AsyncExitStack() as stack:
        for number in range(2):
            for wire in await stack.enter_async_context(wires(host.port, 8)):
                await asked(wire, path, f"203.0.113.{number}")
        assert downloads(host).in_use == 16
        reply = await host.client.get(path, headers={"X-Forwarded-For": "198.51.100.7"})
        assert (reply.status, len(await reply.read())) == (200, LARGE)
        await until(lambda: downloads(host).in_use == 15, "the third address's place, free again")
    await until(lambda: downloads(host).in_use == 0)


async def test_unread_replies_hold_only_so_much_memory(host: Host, path: str) -> None:
    open_connections(host).max_unread_bytes = 1_000_000
    async with wires(host.port, 20) as held:
        for wire in held:
            await wire.send(f"GET {path} HTTP/1.1\r\nHost: here\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n")
        await until(lambda: 0 < downloads(host).in_use <= 1_000_000 // 65_536)
    await until(lambda: downloads(host).in_use == 0)
    assert open_connections(host).unread_bytes == 0
