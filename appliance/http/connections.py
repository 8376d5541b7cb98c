"""Connections on which no request can be read, or nobody reads any more: told in our words, and no error of ours.

aiohttp's own seam for them is `handle_error` of its connections; application code never sees such requests.
"""

import json
import logging
import secrets
from http import HTTPStatus

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler

from appliance.errors import MalformedRequest, TooLarge

log = logging.getLogger(__name__)
MAX_LINE_BYTES = 8190  # aiohttp's own limit for a line


class Connection(RequestHandler):
    """One client's connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no HTTP. Raises ConnectionError for a client that went away, to end it."""
        if isinstance(exc, ConnectionError):
            raise exc
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return super().handle_error(request, status, exc, message)
        response = _problem(request, exc, status)
        response.force_close()
        return response

    def log_exception(self, *args: object, **options: object) -> None:
        """A body that is not what its headers say is no fault of ours, whoever sends it; all else is logged whole."""
        fault = options.get("exc_info")
        if isinstance(fault, (web.RequestPayloadError, HttpProcessingError)):
            log.info("a body that can't be read", extra={"kind": type(fault).__name__})
        else:
            super().log_exception(*args, **options)


class Server(web.Server):
    """Makes our connections."""

    def __call__(self) -> Connection:
        return Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs the application over our connections."""

    __slots__ = ()

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        made.__class__ = Server
        return made


def _problem(request: web.BaseRequest, fault: BaseException | None, status: int) -> web.Response:
    request_id = secrets.token_hex(8)
    fields = {"request_id": request_id, "client": request.remote, "kind": type(fault).__name__}
    log.info("a request that can't be read", extra=fields)
    body: dict[str, object]
    if isinstance(fault, LineTooLong):
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        detail = f"An address or a header has more than {MAX_LINE_BYTES:,} bytes."
        body = {"title": TooLarge.title, "detail": detail, "code": TooLarge.code, "limit": MAX_LINE_BYTES}
    else:
        detail = "This is no HTTP request that can be read: look at its first line, headers and encodings."
        body = {"title": MalformedRequest.title, "detail": detail, "code": MalformedRequest.code}
    body = {"type": "about:blank", "status": int(status)} | body | {"request_id": request_id}
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Request-ID": request_id}
    return web.Response(text=json.dumps(body), status=status, content_type="application/problem+json", headers=headers)
