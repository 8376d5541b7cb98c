"""Connections on which no request can be read, or nobody reads any more: told in our words, and no error of ours.

aiohttp's own seam for them is `handle_error` of its connections; application code never sees such requests.
"""

import json
import logging
import secrets
from http import HTTPStatus

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from appliance.errors import MalformedRequest, TooLarge

log = logging.getLogger(__name__)
TOO_LONG = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)


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
        log.info("a request that can't be read", extra={"client": request.remote, "kind": type(exc).__name__})
        response = _problem(status)
        response.force_close()
        return response


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


def _problem(status: int) -> web.Response:
    kind = TooLarge if status in TOO_LONG else MalformedRequest
    body = {
        "type": "about:blank",
        "title": kind.title,
        "status": status,
        "detail": "This is no HTTP request that can be read: look at its first line, headers and encodings.",
        "code": kind.code,
        "request_id": secrets.token_hex(8),
    }
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(text=json.dumps(body), status=status, content_type="application/problem+json", headers=headers)
