"""Server-sent events: who listens, of whom there may be only so many, and how an event goes out to one of them."""

import asyncio
import json

from aiohttp import web

from appliance.shared.concurrency_limit import ConcurrencyLimit

MAX_LISTENERS = 256  # each is a connection and a look at the catalogue a second
HEARTBEAT_S = 15.0  # proxies cut connections on which nothing goes for a minute
WRITE_S = 10.0  # who takes nothing for so long gives up the place
RETRY_AFTER_S = 10
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store, no-transform",  # proxies that compress would hold events back
    "X-Accel-Buffering": "no",  # and so would nginx
}


def listener_limit() -> ConcurrencyLimit:
    return ConcurrencyLimit("clients are following uploads", MAX_LISTENERS, RETRY_AFTER_S)


class EventStream:
    """The reply to one listener. Writing raises ConnectionError, or TimeoutError for one that does not read."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._response = web.StreamResponse(headers=HEADERS)
        self._clock = asyncio.get_running_loop().time
        self._written_s = self._clock()

    @property
    def is_started(self) -> bool:
        """Whether the headers are out, so that no problem can be told any more."""
        return self._response.prepared

    @property
    def is_open(self) -> bool:
        """Whether somebody is there still, as far as can be told."""
        transport = self._request.transport
        return transport is not None and not transport.is_closing()

    async def start(self) -> None:
        await self._response.prepare(self._request)

    async def send(self, event: str, data: object) -> None:
        await self._write(f"event: {event}\ndata: {json.dumps(data)}\n\n")

    async def keep_alive(self) -> None:
        """A comment, when nothing was sent for a while."""
        if self._clock() - self._written_s >= HEARTBEAT_S:
            await self._write(":\n\n")

    async def end(self) -> web.StreamResponse:
        async with asyncio.timeout(WRITE_S):
            await self._response.write_eof()
        return self._response

    async def _write(self, text: str) -> None:
        async with asyncio.timeout(WRITE_S):
            await self._response.write(text.encode())
        self._written_s = self._clock()
