"""Resumable uploads behind Caddy as it is: bytes stream through as they come, and events are not held back."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.support.caddy import caddy
from tests.support.images.noise import padded
from tests.support.server_process import serving
from tests.support.servers import listens
from tests.support.tus_client import UPLOADS, VERSION, half_sent, sha256
from tests.support.waiting import until
from tests.support.wire import Wire

MB = 1_000_000
PATIENCE_S = 120


@pytest.mark.parametrize("stops", [False, True], ids=["to its end", "until the server stops"])
async def test_an_upload_and_its_events_stream_through_caddy(tmp_path: Path, jpeg: bytes, stops: bool) -> None:
    data = padded(3 * MB, 1)
    async with (
        serving(tmp_path / "data") as served,
        caddy(tmp_path, served.port) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        asyncio.timeout(PATIENCE_S),
    ):
        async with session.post(UPLOADS, headers=VERSION | {"Upload-Length": str(len(data))}) as reply:
            where = reply.headers["Location"]
        async with session.get(where) as reply:
            slug = (await reply.json())["image"]["slug"]
        async with session.get(f"/api/v1/images/{slug}/events", headers={"Accept-Encoding": "gzip"}) as events:
            assert "Content-Encoding" not in events.headers
            await events.content.readuntil(b'"offset": 0, ')
            _, writer = await half_sent(port, where, 0, len(data), data[:MB])
            await events.content.readuntil(b'"offset": 1000000, ')
            if stops:
                assert await served.stop() == 0
            else:
                writer.write(data[MB:])
            rest = await events.content.read()
        writer.close()
        if stops:
            await served.start()
            await until(lambda: listens(served.port), "the server is there again")
            async with session.head(where, headers=VERSION) as reply:
                assert reply.status == 200
                assert int(reply.headers["Upload-Offset"]) == MB
        else:
            assert b"event: done" in rest
            async with session.get(f"/i/{slug}/original") as reply:
                assert sha256([await reply.read()]) == sha256([data])


async def test_the_address_of_an_upload_by_the_draft_passes_through_caddy(tmp_path: Path, jpeg: bytes) -> None:
    async with serving(tmp_path / "data") as served, caddy(tmp_path, served.port) as port, asyncio.timeout(PATIENCE_S):
        wire = await Wire.to(port)
        await wire.send(
            "POST /api/v1/images HTTP/1.1\r\nHost: x\r\nUpload-Complete: ?1\r\nUpload-Draft-Interop-Version: 6\r\n"
            f"Content-Length: {len(jpeg)}\r\n\r\n"
        )
        interim = await wire.head()
        assert interim.startswith("HTTP/1.1 104 ")
        assert "/api/v1/resumable-uploads/" in interim
        await wire.send(jpeg)
        assert " 201 " in await wire.head()
        wire.abort()
