"""A plain tus client, for tests of resumable uploads."""

import asyncio
import base64
import hashlib
import io
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import ClientResponse

from tests.support.host import Host
from tests.support.waiting import until

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

    async def image(self, where: str) -> dict[str, Any]:
        """The image that an upload becomes whose bytes are all there, once it is one."""
        found: dict[str, Any] = {}

        async def is_done() -> bool:
            found.update(await self.state(where))
            return bool(found["state"] != "processing")

        await until(is_done, "an image")
        image: dict[str, Any] = found["image"]
        return image

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


async def patch_from_start(session: aiohttp.ClientSession, url: str, data: bytes) -> None:
    headers = VERSION | BYTES | {"Upload-Offset": "0"}
    async with session.patch(url, headers=headers, data=io.BytesIO(data)) as reply:
        await reply.read()
