"""A client of the IETF's resumable uploads, for tests: its exchanges are written from the drafts."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse

from tests.support.host import Host
from tests.support.waiting import until
from tests.support.wire import Wire

IMAGES = "/api/v1/images"
BYTES = {"Content-Type": "application/partial-upload"}
LAST, MORE = {"Upload-Complete": "?1"}, {"Upload-Complete": "?0"}


@dataclass
class Draft:
    """The requests of one client, which names the interop version `version` in each, or none."""

    host: Host
    version: int | None = 9

    @property
    def named(self) -> dict[str, str]:
        return {} if self.version is None else {"Upload-Draft-Interop-Version": str(self.version)}

    async def post(
        self, data: bytes | AsyncIterator[bytes], headers: dict[str, str], query: str = ""
    ) -> ClientResponse:
        return await self.host.client.post(f"{IMAGES}{query}", headers=self.named | headers, data=body(data))

    async def create(self, data: bytes = b"", headers: dict[str, str] | None = None, query: str = "") -> str:
        """Where an upload continues whose first bytes are `data`."""
        response = await self.post(data, MORE | (headers or {}), query)
        assert response.status == 201, await response.text()
        return response.headers["Location"]

    async def patch(
        self, where: str, offset: int, data: bytes | AsyncIterator[bytes], headers: dict[str, str]
    ) -> ClientResponse:
        sent = self.named | BYTES | {"Upload-Offset": str(offset)} | headers
        return await self.host.client.patch(where, headers=sent, data=body(data))

    async def head(self, where: str) -> ClientResponse:
        return await self.host.client.head(where, headers=self.named)

    async def offset(self, where: str) -> int:
        response = await self.head(where)
        assert response.status == 204
        return int(response.headers["Upload-Offset"])

    async def until_offset(self, where: str, offset: int) -> None:
        """Returns once the upload has `offset` bytes; unlike a HEAD, this leaves alone the request that sends them."""

        async def is_there() -> bool:
            return bool((await self.state(where))["offset"] == offset)

        await until(is_there, f"byte {offset}")

    async def state(self, where: str) -> dict[str, Any]:
        found: dict[str, Any] = await (await self.host.get(where)).json()
        return found

    async def begun(self, announced: int, data: bytes, completeness: str = "Upload-Complete: ?1") -> tuple[Wire, str]:
        """A POST of `announced` bytes that sends `data` after the first response: its connection, and that response."""
        wire = await self.sent(announced, b"", completeness)
        interim = await wire.head()
        await wire.send(data)
        return wire, interim

    async def sent(self, announced: int | None, data: bytes, completeness: str = "Upload-Complete: ?1") -> Wire:
        """The connection of a POST that has sent `data`, of `announced` bytes; None for a chunked body."""
        wire = await Wire.to(self.host.port)
        length = "Transfer-Encoding: chunked" if announced is None else f"Content-Length: {announced}"
        head = f"POST {IMAGES} HTTP/1.1\r\nHost: x\r\n{completeness}\r\n{length}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in self.named.items())
        await wire.send(f"{head}\r\n".encode() + data)
        return wire


def body(data: bytes | AsyncIterator[bytes]) -> io.BytesIO | AsyncIterator[bytes] | None:
    if not isinstance(data, bytes):
        return data
    return io.BytesIO(data) if data else None


def accepted_uploads(host: Host) -> float:
    """How many uploads the host has accepted."""
    return host.counted("uploads_total", outcome="accepted")


def field(head: str, name: str) -> str:
    """A header of a response's head; empty if it isn't there."""
    lines = (line.partition(": ") for line in head.split("\r\n"))
    return next((value for key, _, value in lines if key == name), "")
