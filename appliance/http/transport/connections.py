"""Our subclass of aiohttp's connections: it counts them, and answers requests that can't be read with problem details.

Application code never sees such requests; aiohttp hands them to `handle_error` of its connections.

A body stays in the kernel until somebody reads it, so a connection holds kilobytes of one that is refused. After that,
what comes is dropped for ten seconds: otherwise a browser that still sends would see a reset, and not the answer.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from aiohttp import EMPTY_PAYLOAD, StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from appliance.domain.errors import MalformedRequest, TooLarge
from appliance.http.client_address import client_of
from appliance.http.keys import CONFIG, OPEN_CONNECTIONS
from appliance.http.responses import common_headers
from appliance.http.transport.dropped_bodies import DroppedBodies
from appliance.http.transport.expect_continue import ask_for_body
from appliance.http.transport.open_connections import OpenConnections

log = logging.getLogger(__name__)
MAX_LINE_BYTES = 8190  # aiohttp's own limit for a line
UNREAD_BYTES = 16 * 1024
"""Of a body that nobody reads yet, twice as much is buffered, and what one `recv` brings."""
RECV_BYTES = 64 * 1024
READ_BYTES = 256 * 1024
"""The same two for a body that is being read; these are the defaults of aiohttp and asyncio."""
SMALL_BYTES = 64 * 1024
"""So much of a body that nobody wants is read after all, so that its connection can be used again; of a larger one the
rest is dropped, and ends its connection."""


class HttpConnection(RequestHandler):
    """One client's connection, counted in `open_connections`. `common` are headers for every response made here."""

    __slots__ = (
        "_answered",
        "_common",
        "_dropped_bodies",
        "_dropping",
        "_is_unreadable",
        "_open_connections",
        "_unread_body",
    )

    def __init__(
        self,
        server: web.Server,
        *,
        open_connections: OpenConnections,
        dropped_bodies: DroppedBodies,
        common: Mapping[str, str],
        **settings: Any,  # noqa: ANN401 - aiohttp's own
    ) -> None:
        super().__init__(server, **settings)
        self._open_connections = open_connections
        self._dropped_bodies = dropped_bodies
        self._common = common
        self._answered: web.BaseRequest | None = None
        self._unread_body: StreamReader | None = None
        self._dropping: asyncio.Task[None] | None = None
        self._is_unreadable = False

    # --- what is counted --------------------------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a request."""
        return self._waiter is not None and not self._waiter.done()

    def client(self) -> str:
        """The key of the client whose response is being sent; empty if that isn't known."""
        request = self._current_request or self._answered
        return client_of(request).id if isinstance(request, web.Request) else ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        _receive_at_once(transport, RECV_BYTES)
        if self._keepalive_handle is not None:
            self._keepalive_handle.cancel()
            self._next_keepalive_close_time = self._loop.time() + self._open_connections.first_head_s
            self._keepalive_handle = self._loop.call_at(self._next_keepalive_close_time, self._process_keepalive)
        self._open_connections.add(self, cast(asyncio.Transport, transport))

    def connection_lost(self, exc: BaseException | None) -> None:
        self._open_connections.remove(self)
        super().connection_lost(exc)
        if self._dropping is not None:
            self._dropping.cancel()
        if self._unread_body is not None and not self._unread_body.is_eof():
            self._unread_body.feed_eof()  # else aiohttp waits for the rest of it

    def pause_writing(self) -> None:
        super().pause_writing()
        self._open_connections.writing_paused(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._open_connections.writing_resumed(self)

    # --- requests -----------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse what has come. Behind what isn't HTTP nothing can be, so it is dropped.

        aiohttp would keep every piece of it, each with an error of its own, in the error's traceback and text.
        """
        if self._is_unreadable:
            return
        super().data_received(data)
        if self._messages and isinstance(last := self._messages[-1][0], _ErrInfo):
            kind = type(last.exc)
            self._messages[-1] = _ErrInfo(last.status, kind.__new__(kind), ""), EMPTY_PAYLOAD
            self._is_unreadable = True

    # --- responses ----------------------------------------------------------------------------------------------------

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the response, with `common` headers if no handler has made it."""
        if not resp.prepared:  # no handler was called, because no request could be read
            resp.headers.update(self._common)
        left_bytes = _unread_bytes(request)
        is_dropped = (left_bytes is None or left_bytes > SMALL_BYTES) and not resp.prepared
        if is_dropped:
            resp.force_close()
        self._answered = request
        sent = await super().finish_response(request, resp, start_time)
        self._answered, self._unread_body = None, request.content
        _receive_at_once(self.transport, RECV_BYTES)
        if is_dropped and self.transport is not None:
            await self._drop(self.transport, request.content, left_bytes)
        return sent

    async def _drop(self, transport: asyncio.Transport, body: StreamReader, left_bytes: int | None) -> None:
        """Drop the rest of a body, and what was kept of it; after that, its connection is closed."""
        read_unread(body)
        transport.pause_reading()
        connection = transport.get_extra_info("socket")
        self._dropping = asyncio.ensure_future(
            self._dropped_bodies.drop(connection, left_bytes, within_s=self._lingering_time)
        )
        try:
            await asyncio.wait([self._dropping])
        finally:
            self._dropping.cancel()
            body.feed_eof()  # else aiohttp reads on by itself

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The response to what isn't HTTP. Raises ConnectionError if the client has gone, to end the connection."""
        if isinstance(exc, ConnectionError):
            raise exc
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return super().handle_error(request, status, exc, message)
        response = _problem(request, exc, status)
        response.force_close()
        return response

    def log_exception(self, *args: object, **options: object) -> None:
        """Log a body that doesn't match its headers in one line, as a client's fault; log others in full."""
        fault = options.get("exc_info")
        if isinstance(fault, (web.RequestPayloadError, HttpProcessingError)):
            log.info("unreadable body", extra={"kind": type(fault).__name__})
        else:
            super().log_exception(*args, **options)


class ConnectionFactory(web.Server):
    """Makes our connections where `plain`, aiohttp's server, would make its own.

    Bodies aren't decompressed: that would block every other request, even for a body that is skipped.
    """

    def __init__(self, plain: web.Server, open_connections: OpenConnections, common: Mapping[str, str]) -> None:
        super().__init__(
            plain.request_handler,
            request_factory=plain.request_factory,
            handler_cancellation=plain.handler_cancellation,
            **plain._kwargs,
        )
        self._open_connections = open_connections
        self._dropped_bodies = DroppedBodies()
        self._common = common

    def __call__(self) -> HttpConnection:
        return HttpConnection(
            self,
            open_connections=self._open_connections,
            dropped_bodies=self._dropped_bodies,
            common=self._common,
            loop=self._loop,
            auto_decompress=False,
            read_bufsize=UNREAD_BYTES,
            **self._kwargs,
        )


class Runner(web.AppRunner):
    """Runs the application over our connections."""

    __slots__ = ()

    async def _make_server(self) -> ConnectionFactory:
        plain = await super()._make_server()
        return ConnectionFactory(plain, self.app[OPEN_CONNECTIONS], common_headers(self.app[CONFIG]))


def open_body(request: web.Request) -> None:
    """Make room for a body that will be read, once it is admitted, and ask a client for it that waits for that."""
    ask_for_body(request)
    request.content.set_read_chunk_size(READ_BYTES)
    _receive_at_once(request.transport, READ_BYTES)


def _receive_at_once(transport: asyncio.BaseTransport | None, most: int) -> None:
    """Bound what one `recv` brings, by an attribute of asyncio's transports that its documentation lacks."""
    if transport is not None:
        transport.max_size = most  # type: ignore[attr-defined]


def _unread_bytes(request: web.BaseRequest) -> int | None:
    """How much of the request's body has yet to come; None if nobody knows."""
    if request.content.is_eof():
        return 0
    return None if request.content_length is None else request.content_length - request.content.total_bytes


def read_unread(content: StreamReader) -> bytes:
    """The bytes of a body that arrived before its connection broke and haven't been read.

    Every public method of the reader raises the fault instead, so this uses a private one.
    """
    return content._read_nowait(-1)


def _problem(request: web.BaseRequest, fault: BaseException | None, status: int) -> web.Response:
    request_id = secrets.token_hex(8)
    fields = {"request_id": request_id, "client": request.remote, "kind": type(fault).__name__}
    log.info("unreadable request", extra=fields)
    body: dict[str, object]
    if isinstance(fault, LineTooLong):
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        detail = f"The address or a header is longer than {MAX_LINE_BYTES:,} bytes."
        body = {"title": TooLarge.title, "detail": detail, "code": TooLarge.code, "limit": MAX_LINE_BYTES}
    else:
        detail = "The HTTP request can't be read. Check its first line, headers and encodings."
        body = {"title": MalformedRequest.title, "detail": detail, "code": MalformedRequest.code}
    body = {"type": "about:blank", "status": int(status)} | body | {"request_id": request_id}
    headers = {"Cache-Control": "no-store", "X-Request-ID": request_id}
    return web.Response(text=json.dumps(body), status=status, content_type="application/problem+json", headers=headers)
