"""The guard of the listener for nodes: who calls, and for whom."""

import logging
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from appliance.http.trusted_proxies import TrustedProxies
from appliance.nodes.neighbours import CLIENT, REFUSED, SENDER, SIGNATURE, USER
from appliance.nodes.signatures import NodeCall, NotFromANode, Signatures

REFUSAL = "This address is for the nodes of this host alone.\n"

log = logging.getLogger(__name__)


def nodes_alone(name: str, signatures: Signatures) -> Middleware:
    """A middleware that answers 403 unless another node has signed the call for this one."""

    @web.middleware
    async def require_node(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            signatures.check(_call(request, name), request.headers.get(SIGNATURE, ""))
        except NotFromANode as fault:
            log.info("refused a call between nodes: %s", fault, extra={"client": request.remote})
            return web.Response(status=HTTPStatus.FORBIDDEN, text=REFUSAL, headers={REFUSED: str(fault)})
        return await handler(request)

    return require_node


def _call(request: web.Request, name: str) -> NodeCall:
    sender, client, user = (request.headers.get(header, "") for header in (SENDER, CLIENT, USER))
    return NodeCall(sender, name, request.method, request.raw_path, client, user)


class ToldByNode(TrustedProxies):
    """The client of a request that another node passes on, as that node says."""

    def __init__(self) -> None:
        super().__init__(())

    def address(self, request: web.Request) -> str:
        """The address that the node saw."""
        return request.headers.get(CLIENT) or "-"

    def user(self, request: web.Request, header: str) -> str | None:
        """The person whom the node's proxy named."""
        return request.headers.get(USER) or None

    def request_id(self, request: web.Request) -> str:
        """The id that the request has on the node, so that both logs have the same."""
        return request.headers.get("X-Request-ID") or super().request_id(request)
