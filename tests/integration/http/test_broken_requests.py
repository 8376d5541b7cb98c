"""Requests that can't be read, whole or in part: told in our words, with a code, and never as a fault of ours."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from appliance.container import site_of
from appliance.http.transport.connections import Runner
from tests.support.host import Host, OpenHost, problem
from tests.support.images.noise import padded
from tests.support.waiting import until


@pytest.fixture
async def port(host: Host) -> AsyncIterator[int]:
    """The port of a host over the connections that a server makes."""
    runner = Runner(site_of(host.appliance), access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def answer(port: int, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer to some bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(20):
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.read()
    writer.close()
    return head, body


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 9000 + b"\r\n\r\n",
        b"F(O GET / HTTP/1.1\r\n\r\n",
        b"POST /api/v1/images HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_what_is_no_http_is_a_problem_document_without_an_exceptions_text(port: int, request_: bytes) -> None:
    head, body = await answer(port, request_)
    told = json.loads(body)
    assert head.split()[1].startswith(b"4")
    is_long = len(request_) > 8190
    assert told["code"] == ("too-large" if is_long else "malformed-request")
    assert told.get("limit") == (8190 if is_long else None)
    assert b"X-Request-ID: " + told["request_id"].encode() in head
    assert b"\r\nServer: appliance\r\n" in head
    assert b"bytearray" not in body
    assert b"aaaa" not in body


async def test_a_viewer_who_leaves_is_no_fault(port: int, host: Host, caplog: pytest.LogCaptureFixture) -> None:
    resource = await host.upload(padded(30_000_000, 1))
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /i/{resource['slug']}/original HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await asyncio.sleep(0.2)
    writer.transport.abort()
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/healthz") as reply:
        assert reply.status == 200
    await until(lambda: host.appliance.health.in_flight == 0)
    assert [record for record in caplog.records if record.levelname in ("ERROR", "WARNING")] == []


@pytest.mark.parametrize("encoding", ["bogus", "base64", "quoted-printable"])
@pytest.mark.parametrize("field", ['name="title"', 'name="file"; filename="a.jpg"'])
async def test_an_encoded_part_is_refused(host: Host, field: str, encoding: str) -> None:
    head = f"--b\r\nContent-Disposition: form-data; {field}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = await host.client.post("/api/v1/images", data=f"{head}hi\r\n--b--\r\n".encode(), headers=headers)
    await problem(response, "malformed-request")


async def test_a_token_of_odd_bytes_is_a_wrong_token(port: int, host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    for method in (b"PATCH", b"DELETE"):
        line = method + b" /api/v1/images/" + slug.encode() + b" HTTP/1.1\r\n"
        head, body = await answer(
            port,
            line + b"Host: x\r\nAuthorization: Bearer \xe9\xff\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        )
        assert head.startswith(b"HTTP/1.1 403 ")
        assert json.loads(body)["code"] == "token-wrong"


async def test_undo_ends_with_its_time_even_when_the_eraser_is_late(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host()
    resource = await host.upload(jpeg)
    await host.delete(resource["slug"], resource["delete_token"])
    host.clock.forward(11)
    await problem(await host.patch(resource["slug"], resource["delete_token"], deleted=False), "gone")


async def test_an_upload_with_a_date_is_told_how_to_say_it(host: Host, jpeg: bytes) -> None:
    await problem(await host.post(jpeg, expires_at="2027-01-31T12:00:00Z"), "invalid-expiry")


async def test_a_share_page_is_asked_anew_and_known_again(host: Host, jpeg: bytes) -> None:
    resource = await host.upload(jpeg)
    page = await host.get(f"/i/{resource['slug']}")
    again = await host.get(f"/i/{resource['slug']}", If_None_Match=page.headers["ETag"])
    assert again.status == 304
    await host.patch(resource["slug"], resource["delete_token"], title="Another")
    changed = await host.get(f"/i/{resource['slug']}", If_None_Match=page.headers["ETag"])
    assert changed.status == 200


@pytest.mark.parametrize("hosts", [b"", b"Host: x\r\nHost: x\r\n", b"Host: x\r\nhost : y\r\n"])
@pytest.mark.parametrize("path", ["/healthz", "/i/{}/small.jpg"])
async def test_a_request_without_its_one_host_is_refused(
    port: int, host: Host, jpeg: bytes, hosts: bytes, path: str
) -> None:
    path = path.format((await host.upload(jpeg))["slug"])
    line = f"GET {path} HTTP/1.1\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):  # so that the view is a hot one
        writer.write(line + b"Host: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.partition(b":")[2]))
    writer.write(line + hosts + b"\r\n")
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()


async def test_old_http_needs_no_host(port: int) -> None:
    head, _ = await answer(port, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 ")
