"""Views over connections that are kept: the same answers while the image lives, in the order of their requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import pytest

from tests.support.host import Host

FRESH = {"date", "x-request-id"}


class Wire:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    @asynccontextmanager
    async def to(cls, host: Host) -> AsyncIterator[Self]:
        reader, writer = await asyncio.open_connection(host.client.host, host.client.port)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, and body of the next answer."""
        async with asyncio.timeout(20):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:])}
            return int(head[0].split()[1]), headers, await self.reader.readexactly(int(headers["content-length"]))

    async def get(self, path: str, *lines: str) -> tuple[int, dict[str, str], bytes]:
        self.send(asked(path, *lines))
        return await self.answer()


def asked(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: images.example", *lines, "", ""]).encode()


@pytest.fixture
async def image(host: Host, jpeg: bytes) -> dict[str, Any]:
    return await host.upload(jpeg, "kätzchen.jpg")


@pytest.fixture
def small(image: dict[str, Any]) -> str:
    return f"/i/{image['slug']}/small.jpg"


async def test_a_view_that_is_answered_again_is_the_same_but_for_its_date_and_id(host: Host, small: str) -> None:
    async with Wire.to(host) as wire:
        status, headers, body = await wire.get(small)
        again = [await wire.get(small, "User-Agent: someone", "Accept: */*") for _ in range(3)]
    ids = {headers["x-request-id"]}
    for other_status, others, other_body in again:
        assert (other_status, other_body) == (status, body) == (200, body)
        assert {name: others[name] for name in others if name not in FRESH} == {
            name: headers[name] for name in headers if name not in FRESH
        }
        ids.add(others["x-request-id"])
    assert len(ids) == 4
    assert headers["server"] == "appliance"


async def test_a_head_has_the_same_headers_and_no_body(host: Host, small: str) -> None:
    async with Wire.to(host) as wire:
        _, headers, _ = await wire.get(small)
        wire.send(asked(small).replace(b"GET", b"HEAD", 1) + asked("/healthz"))
        lines = (await wire.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        assert (await wire.answer())[0] == 200
    head = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
    assert lines[0].startswith("HTTP/1.1 200 ")
    assert {name: head[name] for name in head if name not in FRESH} == {
        name: headers[name] for name in headers if name not in FRESH
    }


async def test_other_connections_share_what_is_in_memory(host: Host, small: str) -> None:
    async with Wire.to(host) as first:
        _, _, body = await first.get(small)
    hits = host.counted("cache_lookups_total", layer="memory")
    async with Wire.to(host) as second:
        assert (await second.get(small))[2] == body
    assert host.counted("cache_lookups_total", layer="memory") == hits + 1


async def test_every_view_is_counted(host: Host, small: str) -> None:
    labels = {"route": "/i/{slug}/{preset}.{extension}", "method": "GET", "status": "2xx"}
    async with Wire.to(host) as wire:
        await wire.get(small)
        views, hits = host.counted("requests_total", **labels), host.counted("cache_lookups_total", layer="memory")
        await wire.get(small)
    assert host.counted("requests_total", **labels) == views + 1
    assert host.counted("cache_lookups_total", layer="memory") == hits + 1


async def test_what_is_deleted_is_gone_at_once(host: Host, image: dict[str, Any], small: str) -> None:
    async with Wire.to(host) as wire:
        await wire.get(small)
        assert (await wire.get(small))[0] == 200
        assert (await host.delete(image["slug"], image["delete_token"])).status == 204
        assert (await wire.get(small))[0] == 410


async def test_what_has_expired_is_gone_at_once(host: Host, small: str) -> None:
    async with Wire.to(host) as wire:
        await wire.get(small)
        host.clock.forward(366 * 86_400)
        assert (await wire.get(small))[0] == 410


async def test_the_last_hour_of_an_image_is_told_by_the_second(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg, expires_in="2h")
    path = f"/i/{image['slug']}/small.jpg"
    async with Wire.to(host) as wire:
        assert (await wire.get(path))[1]["cache-control"] == "public, max-age=3600"
        host.clock.forward(7000)
        assert (await wire.get(path))[1]["cache-control"] == "public, max-age=200"


async def test_who_has_the_version_is_told_so(host: Host, small: str) -> None:
    async with Wire.to(host) as wire:
        etag = (await wire.get(small))[1]["etag"]
        wire.send(asked(small, f"If-None-Match: {etag}"))
        assert (await wire.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 304 ")
        assert (await wire.get(small))[0] == 200


async def test_a_request_in_pieces_is_answered_like_a_whole_one(host: Host, small: str) -> None:
    whole = asked(small)
    for cut in (1, 4, len(small) // 2, len(whole) - 30, len(whole) - 2, len(whole) - 1):
        async with Wire.to(host) as wire:
            assert (await wire.get(small))[0] == 200
            wire.send(whole[:cut])
            await wire.writer.drain()
            await asyncio.sleep(0.02)
            wire.send(whole[cut:])
            assert (await wire.answer())[0] == 200
            assert (await wire.get(small))[0] == 200


async def test_what_is_sent_together_is_answered_in_order(host: Host, image: dict[str, Any], small: str) -> None:
    page = f"/api/v1/images/{image['slug']}"
    async with Wire.to(host) as wire:
        await wire.get(small)
        wire.send(asked(page) + asked(small))
        wire.send(asked(small))
        types = [(await wire.answer())[1]["content-type"] for _ in range(3)]
    assert types == ["application/json", "image/jpeg", "image/jpeg"]


async def test_a_slow_answer_is_not_overtaken(host: Host, small: str) -> None:
    async with Wire.to(host) as wire:
        await wire.get(small)
        wire.send(asked(small.replace("small.jpg", "large.avif")))
        await wire.writer.drain()
        await asyncio.sleep(0.01)
        wire.send(asked(small))
        assert [(await wire.answer())[1]["content-type"] for _ in range(2)] == ["image/avif", "image/jpeg"]


async def test_a_body_is_never_taken_for_a_request(host: Host, small: str) -> None:
    hidden = asked(small)
    async with Wire.to(host) as wire:
        await wire.get(small)
        wire.send(b"POST /api/1/nothing HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(hidden))
        await wire.writer.drain()
        await asyncio.sleep(0.02)
        wire.send(hidden + asked("/healthz"))
        assert (await wire.answer())[0] == 404
        assert (await wire.answer())[1]["content-type"].startswith("text/plain")


async def test_a_get_with_a_body_is_read_to_its_end(host: Host, small: str) -> None:
    async with Wire.to(host) as wire:
        await wire.get(small)
        wire.send(asked(small, "Content-Length: 5") + b"12345" + asked("/healthz"))
        assert [(await wire.answer())[0] for _ in range(2)] == [200, 200]


async def test_a_client_that_wants_to_close_is_let_go(host: Host, small: str) -> None:
    async with Wire.to(host) as wire:
        await wire.get(small)
        assert (await wire.get(small, "Connection: close"))[0] == 200
        assert await wire.reader.read() == b""
