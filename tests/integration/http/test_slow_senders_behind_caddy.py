"""Slow uploads through Caddy as the role sets it up: TLS, its timeouts and its limits."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import jinja2
import pytest

from tests.support.images.noise import padded
from tests.support.programs import ROOT, caddy_program, free_port
from tests.support.server_process import serving
from tests.support.store_servers import Server
from tests.support.tus_client import BYTES, UPLOADS, VERSION

TEMPLATE = ROOT / "ansible/roles/caddy/templates/Caddyfile.j2"


def role_caddyfile(behind: int, https_port: int) -> str:
    """What the role writes for a trial, but for the socket of its own commands."""
    text = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined).from_string(TEMPLATE.read_text())
    written = text.render(
        caddy_http_port=free_port(),
        caddy_https_port=https_port,
        caddy_acme_email="",
        caddy_acme_directory="",
        caddy_tls="internal",
        caddy_metrics_listen="",
        caddy_trusted_proxies=[],
        caddy_try_s=30,
        caddy_hosts=["localhost"],
        caddy_upstream=f"127.0.0.1:{behind}",
    )
    return written.replace("admin unix//run/caddy/admin.sock", "admin off")


@contextlib.asynccontextmanager
async def role_caddy(folder: Path, behind: int) -> AsyncIterator[int]:
    """The port of a Caddy before the port `behind`."""
    port, file = free_port(), folder / "Caddyfile"
    file.write_text(role_caddyfile(behind, port))
    command = [caddy_program(), "run", "--config", str(file), "--adapter", "caddyfile"]
    caddy = Server(command, port, folder / "caddy.log", listens, {"HOME": str(folder), "XDG_DATA_HOME": str(folder)})
    await asyncio.to_thread(caddy.start)
    try:
        yield port
    finally:
        await asyncio.to_thread(caddy.stop)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


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
        role_caddy(folder, served.port) as port,
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
