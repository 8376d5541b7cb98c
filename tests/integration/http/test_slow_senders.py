"""Clients that send slowly: every body has a deadline or a least rate, and few addresses never keep others out."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.config.model import Server
from appliance.http.keys import SMALL_BODIES
from tests.support.host import Host, OpenHost, problem, small_config
from tests.support.images import pictures
from tests.support.tus_client import BYTES, UPLOADS, VERSION
from tests.support.waiting import until
from tests.support.wire import Wire, wires

HEAD = "POST /api/v1/images HTTP/1.1\r\nHost: here\r\n"
FORM = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\n"
ALBUM = "POST /api/v1/albums HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 50000\r\n\r\n"
ALBUM_FORM = (
    "POST /a HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 50000\r\n\r\n"
)


async def limited(open_host: OpenHost, **limits: Any) -> Host:
    return await open_host(
        uploads=replace(small_config(Path()).uploads, **limits), server=Server(trusted_proxies=("127.0.0.1",))
    )


@pytest.mark.parametrize("head", [ALBUM, ALBUM_FORM], ids=["JSON", "a form"])
async def test_a_small_body_that_does_not_come_is_told_so_and_its_connection_ends(
    open_host: OpenHost, head: str
) -> None:
    host = await limited(open_host, idle_timeout_s=0.2)
    async with wires(host.port, 1) as (wire,):
        await wire.send(head)
        reply = await wire.rest()
    assert reply.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in reply
    assert host.client.app[SMALL_BODIES].in_use == 0


@pytest.mark.parametrize("head", [ALBUM, ALBUM_FORM], ids=["JSON", "a form"])
async def test_a_small_body_that_drips_is_told_so(open_host: OpenHost, head: str) -> None:
    host = await limited(open_host, idle_timeout_s=0.5)
    async with wires(host.port, 1) as (wire,):
        await wire.send(head)
        assert (await wire.drip('{"' * 5000, 0.02)).startswith("HTTP/1.1 408 ")


async def test_an_upload_form_that_does_not_come_is_answered_with_a_page_and_its_connection_ends(
    open_host: OpenHost,
) -> None:
    host = await limited(open_host, idle_timeout_s=0.2)
    async with wires(host.port, 1) as (wire,):
        await wire.send(f"POST / HTTP/1.1\r\nHost: here\r\nAccept: text/html\r\n{FORM}")
        reply = await wire.rest()
    assert reply.startswith(b"HTTP/1.1 408 ")
    assert b"text/html" in reply
    assert b"Connection: close" in reply


async def test_an_upload_at_eighty_bytes_a_second_ends(open_host: OpenHost, jpeg: bytes) -> None:
    host = await limited(open_host, idle_timeout_s=2)
    async with wires(host.port, 1) as (wire,):
        await wire.send(f"{HEAD}Content-Length: {len(jpeg)}\r\n\r\n")
        assert (await wire.drip("x" * 5000, 1 / 80)).startswith("HTTP/1.1 408 ")
    await until(lambda: host.appliance.admission.in_progress == 0)


async def test_a_form_does_not_begin_its_patience_again_with_each_part(open_host: OpenHost) -> None:
    host = await limited(open_host, idle_timeout_s=1)
    part = 'Content-Disposition: form-data; name="title"\r\n\r\na\r\n--b\r\n'
    async with wires(host.port, 1) as (wire,):
        await wire.send(HEAD + FORM)
        assert (await wire.drip(part * 30, 0.005)).startswith("HTTP/1.1 408 ")


async def test_a_phone_may_stand_still_between_its_bytes(open_host: OpenHost) -> None:
    """Each pause is shorter than `idle_timeout_s`, all of them together are longer, and little comes between them."""
    host = await limited(open_host, idle_timeout_s=4)
    data = pictures.photo(64, 48).ljust(3000, b"\0")
    async with wires(host.port, 1) as (wire,):
        await wire.send(f"{HEAD}Content-Length: {len(data)}\r\n\r\n")
        for piece in range(0, len(data), 1000):
            await asyncio.sleep(1.5)
            await wire.send(data[piece : piece + 1000])
        assert (await wire.head()).startswith("HTTP/1.1 201 ")


async def test_two_addresses_that_hold_every_place_keep_no_third_out(open_host: OpenHost, jpeg: bytes) -> None:
    host = await limited(open_host, concurrency=16)
    async with AsyncExitStack() as stack:
        held = [await stack.enter_async_context(wires(host.port, 8)) for _ in range(2)]
        for number, of_one in enumerate(held):
            for wire in of_one:
                await wire.send(f"{HEAD}X-Forwarded-For: 203.0.113.{number}\r\nContent-Length: {len(jpeg)}\r\n\r\nx")
        await until(lambda: host.appliance.admission.in_progress == 16)
        other = {"X-Forwarded-For": "198.51.100.7"}
        reply = await host.client.post("/api/v1/images", data=jpeg, headers=other)
        assert reply.status == 201, await reply.text()
        await until(lambda: host.appliance.admission.in_progress == 15)
        told = await problem(
            await host.client.post("/api/v1/images", data=jpeg, headers={"X-Forwarded-For": "203.0.113.1"}), "busy"
        )
        assert told["limit"] == 8
    await until(lambda: host.appliance.admission.in_progress == 0)


async def test_a_resumable_upload_that_has_to_go_keeps_what_came(open_host: OpenHost, jpeg: bytes) -> None:
    host = await limited(open_host, concurrency=8)
    async with wires(host.port, 8) as held:
        places = [await _patching(host, wire, len(jpeg)) for wire in held]
        await until(lambda: host.appliance.admission.in_progress == 8)
        reply = await host.client.post("/api/v1/images", data=jpeg, headers={"X-Forwarded-For": "198.51.100.7"})
        assert reply.status == 201, await reply.text()
        await until(lambda: host.appliance.admission.in_progress == 7)
        async with asyncio.timeout(20):
            while [await _offset(host, where) for where in places] != [5] * 8:  # noqa: ASYNC110 - files tell nobody when they change
                await asyncio.sleep(0.05)


async def _patching(host: Host, wire: Wire, length: int) -> str:
    async with host.client.post(UPLOADS, headers=VERSION | {"Upload-Length": str(length)}) as reply:
        where = reply.headers["Location"]
    headers = VERSION | BYTES | {"Upload-Offset": "0", "Content-Length": str(length)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    await wire.send(f"PATCH {where} HTTP/1.1\r\nHost: here\r\n{lines}\r\n01234")
    return where


async def _offset(host: Host, where: str) -> int:
    async with host.client.get(where) as reply:
        return int((await reply.json())["offset"])


async def test_bodies_that_stand_still_keep_no_other_address_out(open_host: OpenHost) -> None:
    host = await limited(open_host)
    bodies = host.client.app[SMALL_BODIES]
    bodies.limit = 16
    async with AsyncExitStack() as stack:
        held = [await stack.enter_async_context(wires(host.port, 8)) for _ in range(2)]
        for number, of_one in enumerate(held):
            for wire in of_one:
                await wire.send(ALBUM.replace("\r\n\r\n", f"\r\nX-Forwarded-For: 203.0.113.{number}\r\n\r\n"))
        await until(lambda: bodies.in_use == 16)
        reply = await host.client.post(
            "/api/v1/albums", json={"title": "mine"}, headers={"X-Forwarded-For": "198.51.100.7"}
        )
        assert reply.status != 503, await reply.text()
        await until(lambda: bodies.in_use == 15)
