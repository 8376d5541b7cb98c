"""Server-sent events: how many clients may listen, and sending events to one of them."""

import asyncio
import json
from dataclasses import dataclass, field

from aiohttp import web

from appliance.shared.concurrency_limit import ConcurrencyLimit

MAX_LISTENERS = 256  # each is a connection and one query of the catalogue a second
HEARTBEAT_S = 15.0  # proxies close connections that are silent for a minute
WRITE_TIMEOUT_S = 10.0  # for a client that doesn't read
RETRY_AFTER_S = 10
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store, no-transform",  # proxies that compress would hold events back
    "X-Accel-Buffering": "no",  # and so would nginx
}


def _listener_limit() -> ConcurrencyLimit:
    return ConcurrencyLimit("clients are following uploads", MAX_LISTENERS, RETRY_AFTER_S)


@dataclass(slots=True)
class EventStreams:
    """The event streams of the host: their limit and their timing, in seconds."""

    limit: ConcurrencyLimit = field(default_factory=_listener_limit)
    heartbeat_s: float = HEARTBEAT_S
    write_timeout_s: float = WRITE_TIMEOUT_S


class EventStream:
    """The response to one listener. Methods raise ConnectionError, or TimeoutError for a client that doesn't read."""

    def __init__(self, request: web.Request, streams: EventStreams) -> None:
        self._request = request
        self._streams = streams
        self._response = web.StreamResponse(headers=HEADERS)
        self._clock = asyncio.get_running_loop().time
        self._written_s = self._clock()

    @property
    def is_started(self) -> bool:
        """Whether the headers have been sent, so that no problem response is possible any more."""
        return self._response.prepared

    @property
    def is_open(self) -> bool:
        """Whether the client is still connected, as far as is known."""
        transport = self._request.transport
        return transport is not None and not transport.is_closing()

    async def start(self) -> None:
        await self._response.prepare(self._request)

    async def send(self, event: str, data: object) -> None:
        await self._write(f"event: {event}\ndata: {json.dumps(data)}\n\n")

    async def keep_alive(self) -> None:
        """Send a comment if nothing was sent for a while."""
        if self._clock() - self._written_s >= self._streams.heartbeat_s:
            await self._write(":\n\n")

    async def end(self) -> web.StreamResponse:
        async with asyncio.timeout(self._streams.write_timeout_s):
            await self._response.write_eof()
        return self._response

    async def _write(self, text: str) -> None:
        async with asyncio.timeout(self._streams.write_timeout_s):
            await self._response.write(text.encode())
        self._written_s = self._clock()
