"""A plain tus client, and a relay that cuts connections: for tests of resumable uploads."""

import asyncio
import base64
import contextlib
import hashlib
import io
import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import ClientResponse

from tests.conftest import Host

VERSION = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}
UPLOADS = "/api/v1/uploads"


def encoded(**pairs: str) -> str:
    """An Upload-Metadata header."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}".strip() for key, value in pairs.items())


def checksum(algorithm: str, digest: bytes) -> dict[str, str]:
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}


@dataclass
class Tus:
    """The verbs of tus against one host. Extra headers are given with dashes."""

    host: Host

    async def post(
        self, length: int | None = None, data: bytes | io.BytesIO | None = None, headers: dict[str, str] | None = None
    ) -> ClientResponse:
        sent = VERSION | ({} if length is None else {"Upload-Length": str(length)})
        sent |= ({} if data is None else BYTES) | (headers or {})
        return await self.host.client.post(UPLOADS, headers=sent, data=data)

    async def create(self, length: int | None, **metadata: str) -> str:
        """Where a new upload goes on."""
        headers = {"Upload-Metadata": encoded(**metadata)} if metadata else {}
        if length is None:
            headers["Upload-Defer-Length"] = "1"
        return await self.created(await self.post(length, headers=headers))

    @staticmethod
    async def created(response: ClientResponse) -> str:
        assert response.status == 201, await response.text()
        return response.headers["Location"]

    async def part(self, data: bytes) -> str:
        """A complete partial upload."""
        where = await self.created(await self.post(len(data), headers={"Upload-Concat": "partial"}))
        assert (await self.patch(where, 0, data)).status == 204
        return where

    async def patch(
        self, where: str, offset: int, data: bytes | AsyncIterator[bytes], headers: dict[str, str] | None = None
    ) -> ClientResponse:
        sent = VERSION | BYTES | {"Upload-Offset": str(offset)} | (headers or {})
        body = io.BytesIO(data) if isinstance(data, bytes) else data
        return await self.host.client.patch(where, headers=sent, data=body)

    async def head(self, where: str) -> ClientResponse:
        return await self.host.client.head(where, headers=VERSION)

    async def offset(self, where: str) -> int:
        response = await self.head(where)
        assert response.status == 200
        return int(response.headers["Upload-Offset"])

    async def delete(self, where: str) -> ClientResponse:
        return await self.host.client.delete(where, headers=VERSION)

    async def state(self, where: str) -> dict[str, Any]:
        response = await self.host.get(where)
        assert response.status == 200, await response.text()
        found: dict[str, Any] = await response.json()
        return found

    async def whole(self, data: bytes, **metadata: str) -> str:
        """An upload that became an image."""
        where = await self.create(len(data), **metadata)
        response = await self.patch(where, 0, data)
        assert response.status == 204, await response.text()
        return where

    async def slug(self, where: str) -> str:
        return str((await self.state(where))["image"]["slug"])

    async def original(self, slug: str) -> bytes:
        response = await self.host.get(f"/i/{slug}/original")
        assert response.status == 200, await response.text()
        return await response.read()


async def half_sent(  # noqa: PLR0917 - as a request reads
    port: int, where: str, offset: int, announced: int, data: bytes, headers: dict[str, str] | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A PATCH over a connection of its own that sends `data` and leaves the rest open: its reader and writer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"PATCH {where} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
    head += f"Content-Type: application/offset+octet-stream\r\nContent-Length: {announced}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    writer.write(f"{head}\r\n".encode() + data)
    await writer.drain()
    return reader, writer


@dataclass
class Relay:
    """Passes TCP on, and cuts some connections after a random number of bytes that the client sent.

    `passed_bytes` counts what clients sent through it.
    """

    port: int
    seed: int
    share: float = 0.34
    least: int = 2_000  # so that a request without a body comes through
    most: int = 300_000
    pause_s: float = 0.0
    cut: int = 0
    passed_bytes: int = 0
    _choose: random.Random = field(init=False)
    _passing: set["asyncio.Task[None]"] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self._choose = random.Random(self.seed)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Its URL."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for task in self._passing:
                task.cancel()
            await asyncio.gather(*self._passing, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing = asyncio.create_task(self._pass(reader, writer))
        self._passing.add(passing)
        with contextlib.suppress(asyncio.CancelledError):  # streams take a cancelled task for a fault
            await passing
        writer.transport.abort()
        self._passing.discard(passing)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        budget = self._choose.randint(self.least, self.most) if self._choose.random() < self.share else 1 << 62
        try:
            above, below = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return
        back = asyncio.create_task(_pass_on(above, writer))
        try:
            while budget and (data := await reader.read(min(65_536, budget))):
                budget -= len(data)
                self.passed_bytes += len(data)
                below.write(data)
                await below.drain()
                await asyncio.sleep(self.pause_s)
        except ConnectionError:
            pass
        finally:
            try:
                if not budget:
                    self.cut += 1
                elif not back.done():
                    below.write_eof() if below.can_write_eof() and not below.is_closing() else None
                    await asyncio.wait([back], timeout=10)
            finally:
                back.cancel()
                below.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()  # also when the server was killed with bytes unread, or its client would wait for ever


async def send_stubbornly(url: str, data: bytes, *, within_s: float = 60.0, chunk: int = 1 << 40) -> dict[str, Any]:
    """Upload through whatever happens to connections and server, as a good client does; the state at the end."""
    async with asyncio.timeout(within_s), aiohttp.ClientSession() as session:
        where: str | None = None
        while True:
            try:
                where = where or await _created(session, url, len(data))
                offset = await _offset(session, where)
                while offset < len(data):
                    headers = VERSION | BYTES | {"Upload-Offset": str(offset)}
                    async with session.patch(
                        where, headers=headers, data=io.BytesIO(data[offset : offset + chunk])
                    ) as reply:
                        if reply.status != 204:
                            raise aiohttp.ClientError(str(reply.status))
                        offset = int(reply.headers["Upload-Offset"])
                async with session.get(where) as reply:
                    found: dict[str, Any] = await reply.json()
                    if found["state"] == "done":
                        return found
            except (aiohttp.ClientError, ConnectionError):
                pass
            await asyncio.sleep(0.05)


async def _created(session: aiohttp.ClientSession, url: str, length: int) -> str:
    async with session.post(url + UPLOADS, headers=VERSION | {"Upload-Length": str(length)}) as reply:
        if reply.status != 201:
            raise aiohttp.ClientError(str(reply.status))
        return url + reply.headers["Location"]


async def _offset(session: aiohttp.ClientSession, where: str) -> int:
    async with session.head(where, headers=VERSION) as reply:
        if reply.status != 200:
            raise aiohttp.ClientError(str(reply.status))
        return int(reply.headers["Upload-Offset"])


def sha256(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
