"""Slow uploads through Caddy as the role sets it up: TLS, its timeouts and its limits."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.caddy import caddy, role_caddyfile
from tests.support.images.noise import padded
from tests.support.server_process import serving
from tests.support.tus_client import BYTES, UPLOADS, VERSION


def unverified() -> ssl.SSLContext:
    """Caddy's own authority is made for the trial alone."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def trickled(data: bytes, bytes_per_s: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), bytes_per_s):
        yield data[start : start + bytes_per_s]
        await asyncio.sleep(1)


async def put_slowly(session: aiohttp.ClientSession, data: bytes, bytes_per_s: int) -> None:
    headers = {"Content-Length": str(len(data))}
    async with session.put("/slow.jpg", data=trickled(data, bytes_per_s), headers=headers) as reply:
        assert reply.status == 201, await reply.text()


async def append_slowly(session: aiohttp.ClientSession, data: bytes, bytes_per_s: int) -> None:
    async with session.post(UPLOADS, headers=VERSION | {"Upload-Length": str(len(data))}) as reply:
        where = reply.headers["Location"]
    headers = VERSION | BYTES | {"Upload-Offset": "0", "Content-Length": str(len(data))}
    async with session.patch(where, data=trickled(data, bytes_per_s), headers=headers) as reply:
        assert reply.status == 204, await reply.text()
        assert reply.headers["Upload-Offset"] == str(len(data))


async def upload_slowly(folder: Path, seconds: int) -> None:
    """A plain upload and a resumable one at once, the slower at the least that EDGE gives."""
    async with (
        serving(folder / "data") as served,
        caddy(folder, served.port, role_caddyfile) as port,
        aiohttp.ClientSession(
            f"https://localhost:{port}",
            connector=aiohttp.TCPConnector(ssl=unverified()),
            timeout=aiohttp.ClientTimeout(total=None),
        ) as session,
    ):
        await asyncio.gather(
            put_slowly(session, padded(8000 * seconds, 1), 8000),
            append_slowly(session, padded(2000 * seconds, 2), 2000),
        )


async def test_an_upload_at_the_rate_of_a_poor_phone_line_comes_through_caddy(tmp_path: Path) -> None:
    await upload_slowly(tmp_path, 3)


@pytest.mark.long
async def test_an_upload_of_half_an_hour_comes_through_caddy(tmp_path: Path) -> None:
    await upload_slowly(tmp_path, 30 * 60)
