"""The relay: passes a request on to the node that has the bytes it is about, and the reply back, both as they come."""

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from appliance.domain.errors import ApplianceError
from appliance.http.forwarding_watch import FORWARDING_HEADERS
from appliance.http.keys import CLOSED, CONFIG, REQUEST_ID, TRUSTED_PROXIES
from appliance.http.transport.resumable_bodies import received
from appliance.http.transport.streamed_responses import abort_response
from appliance.nodes.neighbours import Neighbours, blocks, unavailable

ENDS_HERE = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade", "expect", "host", "date", "server", "vary"),
        *map(str.lower, FORWARDING_HEADERS),
    }
)
"""Headers that concern one connection, or that this node sets itself."""
RESOURCE_POLICY = "Cross-Origin-Resource-Policy"
"""`same-origin` on what a passphrase or one view protects, which the other node has found out."""
OWN_PREFIXES = ("appliance-", "x-forwarded-")
"""Of headers that say who asks, which nobody but this node may say."""


class _Body:
    """A request's body on its way to another node; `fault` is what ended it early."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.fault: ApplianceError | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body. What arrived before a fault is passed on too."""
        try:
            async for chunk in received(self._request, self._request.app[CONFIG].uploads):
                yield chunk
        except ApplianceError as fault:
            self.fault = fault
            raise


class Relay:
    """Passes requests on to neighbours."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def pass_on(self, request: web.Request, node: str, *, is_stream: bool = False) -> web.StreamResponse:
        """The node's response to the request, which nobody has read or answered yet.

        With `is_stream` it may last for hours, and the caller has a permit for it.
        Raises NodeUnavailable, and what ended the request's body.
        """
        proxies, header = request.app[TRUSTED_PROXIES], request.app[CONFIG].access.user_header
        body = _Body(request) if request.body_exists else None
        call = self._neighbours.call(
            node,
            request.method,
            request.path_qs if request.raw_path.startswith("http") else request.raw_path,
            _passed(request.headers, {"X-Request-ID": request[REQUEST_ID]}),
            None if body is None else body.chunks(),
            client=proxies.address(request),
            user=(proxies.user(request, header) if header else None) or "",
            is_stream=is_stream,
        )
        response: web.StreamResponse | None = None
        try:
            async with call as reply:
                if reply.headers.get(RESOURCE_POLICY) == "same-origin":
                    request[CLOSED] = True
                response = web.StreamResponse(status=reply.status, headers=_passed(reply.headers))
                await response.prepare(request)
                async for block in blocks(node, reply):
                    await response.write(block)
                await response.write_eof()
                return response
        except ApplianceError as fault:
            if response is not None and response.prepared:
                abort_response(request, fault)
            raise (body and body.fault) or fault from fault


async def refuse_second_hop(_request: web.Request, _node: str, **_how: bool) -> web.StreamResponse:
    """In place of `Relay.pass_on`, for what another node has passed on. Raises NodeUnavailable."""
    raise unavailable()


def _passed(headers: "CIMultiDictProxy[str]", changed: Mapping[str, str] = MappingProxyType({})) -> "CIMultiDict[str]":
    """Those of the headers that the other side has to see, with some that this node sets."""
    passed = CIMultiDict(
        (name, value)
        for name, value in headers.items()
        if name.lower() not in ENDS_HERE and not name.lower().startswith(OWN_PREFIXES)
    )
    passed.update(changed)
    return passed
