"""Debian's Varnish in front of a host, with the VCL that docs/cdn.md gives."""

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.support.programs import ROOT, free_port, require
from tests.support.servers import Server, listens


def varnish_program() -> str:
    """The cache's program; without one the test is skipped or fails (see `require`)."""
    found = shutil.which("varnishd") or shutil.which("/usr/sbin/varnishd")
    if found is None:
        require("varnish", "install Debian's package of that name")
    assert found is not None
    return found


def documented_vcl() -> str:
    """What docs/cdn.md tells to write into default.vcl."""
    page = (ROOT / "docs" / "cdn.md").read_text(encoding="utf-8")
    (vcl,) = re.findall(r"```vcl\n(.*?)```", page, re.DOTALL)
    return str(vcl)


@dataclass
class Varnish:
    """A running cache, as a viewer sees it."""

    server: Server
    url: str
    session: aiohttp.ClientSession
    hits: int = 0
    views: int = 0

    async def get(self, path: str, **headers: str) -> tuple[int, bytes, bool]:
        """Status, body, and whether the cache answered by itself."""
        async with self.session.get(self.url + path, headers=headers) as reply:
            body = await reply.read()
            hit = " " in reply.headers["X-Varnish"]  # this request's id, and on a hit that of the one that fetched
            self.views += 1
            self.hits += hit
            return reply.status, body, hit


@contextlib.asynccontextmanager
async def varnish(folder: Path, behind: int) -> AsyncIterator[Varnish]:
    """A cache before the port, empty at first."""
    port, vcl = free_port(), folder / "default.vcl"
    vcl.write_text(documented_vcl().replace('.port = "8080"', f'.port = "{behind}"'))
    command = [varnish_program(), "-j", "none", "-F", "-n", str(folder / "varnish"), "-f", str(vcl)]
    command += ["-a", f"127.0.0.1:{port}", "-s", "malloc,64m", "-T", "none"]
    server = Server(command, port, folder / "varnish.log", listens, {})
    await asyncio.to_thread(server.start)
    try:
        async with aiohttp.ClientSession() as session:
            yield Varnish(server, f"http://127.0.0.1:{port}", session)
    finally:
        await asyncio.to_thread(server.stop)
