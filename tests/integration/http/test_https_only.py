"""A host with an https address tells browsers to keep to it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.host import OpenHost, small_config


async def test_a_host_of_https_stays_one(open_host: OpenHost, tmp_path: Path, jpeg: bytes) -> None:
    server = replace(small_config(tmp_path).server, public_url="https://pictures.example.org")
    host = await open_host(server=server)
    slug = (await host.upload(jpeg))["slug"]
    for path in ("/", f"/i/{slug}", f"/i/{slug}/small.jpg", f"/i/{slug}/small.jpg", "/nothing", "/api/v1/limits"):
        assert (await host.get(path)).headers["Strict-Transport-Security"] == "max-age=15552000"


async def test_a_host_of_plain_http_says_nothing_of_it(open_host: OpenHost, tmp_path: Path) -> None:
    server = replace(small_config(tmp_path).server, public_url="http://pictures.example.org")
    assert "Strict-Transport-Security" not in (await (await open_host(server=server)).get("/")).headers


@pytest.mark.parametrize("request_", [b"F(O GET / HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n"])
async def test_a_request_that_can_not_be_read_is_answered_so_too(
    open_host: OpenHost, tmp_path: Path, request_: bytes
) -> None:
    server = replace(small_config(tmp_path).server, public_url="https://pictures.example.org")
    reader, writer = await asyncio.open_connection("127.0.0.1", (await open_host(server=server)).port)
    writer.write(request_)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert b"\r\nStrict-Transport-Security: max-age=15552000\r\n" in head
    assert head.count(b"\r\nServer: ") == head.count(b"\r\nX-Content-Type-Options: ") == 1
