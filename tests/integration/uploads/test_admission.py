"""What is let in: sizes, the disk's reserve, slow and broken clients, Expect: 100-continue, how many at once."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.config.model import Server
from appliance.shared.filesystem import MAX_FILE_BYTES, largest_file_bytes
from tests.support.host import Host, OpenHost, problem, small_config
from tests.support.images import pictures
from tests.support.waiting import until

HEAD = "POST /api/v1/images HTTP/1.1\r\nHost: here\r\n"


class Connection:
    """A client on a bare socket, that can stop in the middle."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, host: Host) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", host.port))

    async def send(self, data: str | bytes) -> None:
        self._writer.write(data.encode() if isinstance(data, str) else data)
        await self._writer.drain()

    async def head(self) -> str:
        """The next reply's status line and headers."""
        async with asyncio.timeout(20):
            return (await self._reader.readuntil(b"\r\n\r\n")).decode()

    async def body(self, head: str) -> str:
        length = next(line.partition(":")[2] for line in head.split("\r\n") if line.startswith("Content-Length"))
        return (await self._reader.readexactly(int(length))).decode()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def chunks_of(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 50_000):
        yield data[start : start + 50_000]


def is_spotless(host: Host) -> bool:
    """No received byte is left, and no disk is promised."""
    left = host.files("spool/incoming") + host.files("spool/landed")
    return not left and host.appliance.spool.room.promised_bytes == 0


async def limited(open_host: OpenHost, **limits: Any) -> Host:
    return await open_host(uploads=replace(small_config(Path()).uploads, **limits))


async def test_a_file_of_exactly_the_limit_is_taken_in_every_way(open_host: OpenHost, jpeg: bytes) -> None:
    host = await limited(open_host, max_bytes=len(jpeg))
    await host.upload(jpeg)
    assert (await host.client.post("/api/v1/images", data=jpeg)).status == 201
    assert (await host.client.post("/api/v1/images", data=chunks_of(jpeg))).status == 201


async def test_one_byte_more_than_the_limit_is_refused_in_every_way(open_host: OpenHost, jpeg: bytes) -> None:
    host = await limited(open_host, max_bytes=len(jpeg))
    more = jpeg + b"\0"
    for reply in (
        await host.post(more),
        await host.client.post("/api/v1/images", data=more),
        await host.client.post("/api/v1/images", data=chunks_of(more)),
    ):
        told = await problem(reply, "too-large")
        assert (told["limit"], told["actual"]) == (len(jpeg), len(more))
        assert is_spotless(host)


async def told(host: Host, head: str, status: str) -> str:
    """The body of the reply that a request gets without having sent a byte of its own."""
    connection = await Connection.to(host)
    await connection.send(f"{head}\r\n")
    reply = await connection.head()
    assert reply.startswith(f"HTTP/1.1 {status} "), reply
    body = await connection.body(reply)
    await connection.close()
    return body


async def test_what_no_file_or_object_can_hold_is_refused_before_a_byte_of_it_is_sent(host: Host) -> None:
    limit = host.appliance.config.uploads.max_bytes
    assert limit == min(host.appliance.store.max_object_bytes, largest_file_bytes(host.appliance.config.spool_dir))
    if limit == MAX_FILE_BYTES:
        pytest.skip("this filesystem has no limit of its own")
    body = await told(host, f"{HEAD}Content-Length: {limit + 1}\r\n", "413")
    assert f'"limit": {limit},' in body


@pytest.mark.parametrize("expecting", ["", "Expect: 100-continue\r\n"])
@pytest.mark.parametrize("way", ["raw", "form", "tus"])
async def test_what_the_disk_has_no_room_for_is_refused_with_what_was_asked_before_a_byte_of_it_is_sent(
    host: Host, way: str, expecting: str
) -> None:
    wanted = 9_000_000_000_000
    heads = {
        "raw": f"{HEAD}Content-Length: {wanted}\r\n",
        "form": f"{HEAD}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {wanted}\r\n",
        "tus": f"POST /api/v1/uploads HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Length: {wanted}\r\n"
        "Content-Length: 0\r\n",
    }
    problem = json.loads(await told(host, heads[way] + expecting, "507"))
    assert problem["code"] == "disk-full"
    assert "limit" not in problem, "what is free is the figure to aim at"
    assert wanted - 1_000_000 < problem["actual"] <= wanted  # a form's own bytes are not the file's
    assert re.findall(r"[0-9][0-9,]*", problem["detail"]) == [f"{problem['actual']:,}"]
    assert is_spotless(host)


async def test_what_would_eat_the_disk_reserve_is_refused_with_what_was_asked(open_host: OpenHost, jpeg: bytes) -> None:
    host = await limited(open_host, reserve_bytes=10**15)
    for reply in (
        await host.post(jpeg),
        await host.client.post("/api/v1/images", data=jpeg),
        await host.client.post("/api/v1/images", data=chunks_of(jpeg)),
    ):
        told = await problem(reply, "disk-full")
        assert "limit" not in told
        assert told["actual"] >= len(jpeg)
        assert is_spotless(host)
    ready = await (await host.get("/readyz")).json()
    assert (ready["status"], ready["parts"]["disk"]) == ("degraded", "the disk reserve is reached; uploads are refused")


async def test_a_client_that_stands_still_is_told_so(open_host: OpenHost, jpeg: bytes) -> None:
    host = await limited(open_host, idle_timeout_s=0.1)
    connection = await Connection.to(host)
    await connection.send(f"{HEAD}Content-Length: {len(jpeg)}\r\n\r\n")
    await connection.send(jpeg[:1000])
    head = await connection.head()
    assert head.startswith("HTTP/1.1 408 ")
    assert '"code": "upload-timeout"' in await connection.body(head)
    assert is_spotless(host)
    await connection.close()


async def test_a_client_that_drips_is_told_so(open_host: OpenHost, jpeg: bytes) -> None:
    host = await limited(open_host, idle_timeout_s=0.3)
    connection = await Connection.to(host)
    await connection.send(f"{HEAD}Content-Length: {len(jpeg)}\r\n\r\n")
    answer = asyncio.ensure_future(connection.head())
    for place in range(1000):
        if answer.done():
            break
        with contextlib.suppress(ConnectionError):
            await connection.send(jpeg[place : place + 1])
        await asyncio.sleep(0.02)
    assert (await answer).startswith("HTTP/1.1 408 ")
    await connection.close()


async def test_a_form_that_stands_still_between_its_parts_is_told_so(open_host: OpenHost) -> None:
    host = await limited(open_host, idle_timeout_s=0.1)
    connection = await Connection.to(host)
    await connection.send(f"{HEAD}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 999\r\n\r\n--b\r\n")
    assert (await connection.head()).startswith("HTTP/1.1 408 ")
    await connection.close()


@pytest.mark.parametrize("form", [False, True])
async def test_a_broken_connection_leaves_nothing_in_the_spool(host: Host, form: bool) -> None:
    data = pictures.photo(2000, 1500, quality=95)
    connection = await Connection.to(host)
    if form:
        await connection.send(f"{HEAD}Content-Type: multipart/form-data; boundary=b\r\n")
        await connection.send(f"Content-Length: {len(data)}\r\n\r\n")
        await connection.send('--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n')
    else:
        await connection.send(f"{HEAD}Content-Length: {len(data)}\r\n\r\n")
    await connection.send(data[: len(data) // 2])
    await until(lambda: bool(host.files("spool/incoming")))
    connection.abort()
    await until(lambda: is_spotless(host))
    await until(lambda: host.counted("uploads_total", outcome="incomplete-upload") == 1)
    assert host.files("store/objects") == []


async def test_a_body_is_asked_for_only_when_it_may_be_taken(open_host: OpenHost, jpeg: bytes) -> None:
    host = await limited(open_host, max_bytes=1_000_000)
    connection = await Connection.to(host)
    await connection.send(f"{HEAD}Expect: 100-continue\r\nContent-Length: 1000001\r\n\r\n")
    assert (await connection.head()).startswith("HTTP/1.1 413 ")
    await connection.close()

    connection = await Connection.to(host)
    await connection.send(f"{HEAD}Expect: 100-continue\r\nIdempotency-Key: short\r\nContent-Length: 1000\r\n\r\n")
    assert (await connection.head()).startswith("HTTP/1.1 400 ")
    await connection.close()

    connection = await Connection.to(host)
    await connection.send(f"{HEAD}Expect: 100-continue\r\nContent-Length: {len(jpeg)}\r\n\r\n")
    assert (await connection.head()).startswith("HTTP/1.1 100 ")
    await connection.send(jpeg)
    assert (await connection.head()).startswith("HTTP/1.1 201 ")
    await connection.close()


async def test_a_form_that_finds_no_room_is_refused_without_being_asked_for(open_host: OpenHost) -> None:
    host = await limited(open_host, reserve_bytes=10**15)
    connection = await Connection.to(host)
    form = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 3000000\r\n"
    await connection.send(f"{HEAD}{form}Expect: 100-continue\r\n\r\n")
    assert (await connection.head()).startswith("HTTP/1.1 507 ")
    await connection.close()


async def test_beyond_the_concurrency_uploads_are_refused_before_their_bytes(open_host: OpenHost, jpeg: bytes) -> None:
    host = await limited(open_host, concurrency=1)
    first, second = await Connection.to(host), await Connection.to(host)
    await first.send(f"{HEAD}Content-Length: {len(jpeg)}\r\n\r\n")
    await first.send(jpeg[:100])
    await until(lambda: bool(host.files("spool/incoming")))
    await second.send(f"{HEAD}Expect: 100-continue\r\nContent-Length: {len(jpeg)}\r\n\r\n")
    head = await second.head()
    assert head.startswith("HTTP/1.1 503 ")
    assert "Retry-After: 5" in head
    body = await second.body(head)
    assert '"code": "busy"' in body
    assert '"limit": 1' in body
    await first.send(jpeg[100:])
    assert (await first.head()).startswith("HTTP/1.1 201 ")
    await host.upload(jpeg)
    await first.close()
    await second.close()


async def test_one_address_does_not_take_every_place(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host(
        uploads=replace(small_config(Path()).uploads, concurrency=36), server=Server(trusted_proxies=("127.0.0.1",))
    )
    held = [await Connection.to(host) for _ in range(9)]
    for connection in held:
        await connection.send(f"{HEAD}Content-Length: {len(jpeg)}\r\n\r\nx")
    await until(lambda: len(host.files("spool/incoming")) == 9)
    told = await problem(await host.post(jpeg), "busy")
    assert (told["limit"], told["actual"]) == (9, 9)
    other = {"X-Forwarded-For": "2001:db8::7"}
    assert (await host.client.post("/api/v1/images", data=jpeg, headers=other)).status == 201
    held[0].abort()
    await until(lambda: host.appliance.admission.in_progress == 8)
    await host.upload(jpeg)
    for connection in held:
        connection.abort()


async def test_a_place_is_free_again_after_a_broken_connection(open_host: OpenHost, jpeg: bytes) -> None:
    host = await limited(open_host, concurrency=1)
    connection = await Connection.to(host)
    await connection.send(f"{HEAD}Content-Length: 100000\r\n\r\nx")
    await until(lambda: bool(host.files("spool/incoming")))
    connection.abort()
    await until(lambda: is_spotless(host) and host.appliance.admission.in_progress == 0)
    await host.upload(jpeg)
