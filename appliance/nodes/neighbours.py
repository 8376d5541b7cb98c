"""Neighbours: the other nodes, where each is reached, and calls to them that are signed and have deadlines."""

import asyncio
import logging
import math
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import aiohttp
from aiohttp import hdrs
from multidict import CIMultiDict
from yarl import URL

from appliance.catalogue import NodeCatalogue
from appliance.domain.errors import NodeUnavailable
from appliance.domain.nodes import Node
from appliance.nodes.pulse import Pulse
from appliance.nodes.signatures import NodeCall, Signatures

SENDER: Final = "Appliance-Node"
SIGNATURE: Final = "Appliance-Signature"
CLIENT: Final = "Appliance-Client"
USER: Final = "Appliance-User"
REFUSED: Final = "Appliance-Refused"
"""In the reply to a call that the node doesn't believe, so that it isn't taken for an answer."""
CONNECT_S = 2.0
QUEUE_S = 5.0
"""How long a call waits for one of the connections to its node."""
SILENCE_S = 60.0
"""How long a reply may pause. Events are sent more often, and who waits longer for a slow store asks again."""
UNACKNOWLEDGED_MS = 15_000
"""A node whose machine lost its power acknowledges nothing."""
MAX_CONNECTIONS = 256
"""To each node, besides those of streams that nobody waits for the end of."""
KNOWN_S = 2.0
"""How old the list of nodes may be."""
NEWS_S = 0.1
"""How old it may be where it says that a node is silent: one that is back takes part at once."""
RETRY_AFTER_S = 5

log = logging.getLogger(__name__)


class Neighbours:
    """Calls other nodes. `name` and `pulse` are this node's."""

    def __init__(self, name: str, *, signatures: Signatures, rows: NodeCatalogue, pulse: Pulse) -> None:
        self.name = name
        self._pulse = pulse
        self._signatures = signatures
        self._rows = rows
        self._sessions: dict[int, aiohttp.ClientSession] = {}
        self._nodes: dict[str, Node] = {}
        self._known_at_s = -math.inf
        self._refreshing = asyncio.Lock()

    async def close(self) -> None:
        """End every call."""
        for session in self._sessions.values():
            await session.close()

    @asynccontextmanager
    async def call(
        self,
        node: str,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: AsyncIterator[bytes] | None = None,
        *,
        client: str = "",
        user: str = "",
        is_stream: bool = False,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The node's reply to a request for `path`, whose body streams both ways.

        With `is_stream` the reply may last for hours: it takes none of the `MAX_CONNECTIONS`. Its caller bounds those.
        Raises NodeUnavailable when there is none; `blocks` reads its body.
        """
        url = await self._url(node)
        sent = CIMultiDict(headers or {})
        sent[SENDER], sent[CLIENT], sent[USER] = self.name, client, user
        sent[SIGNATURE] = self._signatures.sign(NodeCall(self.name, node, method, path, client, user))
        with answering(node):
            reply = await self._open_session(0 if is_stream else MAX_CONNECTIONS).request(
                method, URL(url + path, encoded=True), headers=sent, data=body, allow_redirects=False
            )
        async with reply:
            if REFUSED in reply.headers:
                log.error("the node %s refuses calls of this one: %s", node, reply.headers[REFUSED][:200])
                raise unavailable()
            yield reply

    async def others(self) -> list[str]:
        """The names of the other nodes that are alive, as the list of nodes was up to `KNOWN_S` ago.

        Raises the catalogue's faults.
        """
        await self._refresh(KNOWN_S)
        return [node.name for node in self._nodes.values() if node.name != self.name and node.is_alive]

    async def count_machines(self) -> int:
        """On how many machines there are nodes that are alive, which have addresses with hosts of their own.

        As the list of nodes was up to `KNOWN_S` ago. Raises the catalogue's faults.
        """
        await self._refresh(KNOWN_S)
        return max(1, len({URL(node.url).host for node in self._nodes.values() if node.is_alive}))

    async def is_lost(self, name: str) -> bool:
        """Whether the node was silent for so long that others may take over its unfinished uploads, or is unknown.

        As the list of nodes was up to `NEWS_S` ago. No node that is known is lost while this one isn't heard either.
        Raises the catalogue's faults.
        """
        node = await self._known(name)
        return node is None or self._is_silent(node)

    async def _url(self, name: str) -> str:
        node = await self._known(name)
        if node is None or self._is_absent(node):
            raise unavailable()
        return node.url

    async def _known(self, name: str) -> Node | None:
        await self._refresh(KNOWN_S)
        node = self._nodes.get(name)
        if node is None or self._is_absent(node):
            await self._refresh(NEWS_S)
        return self._nodes.get(name)

    def _is_absent(self, node: Node) -> bool:
        return node.has_left or self._is_silent(node)

    def _is_silent(self, node: Node) -> bool:
        return node.is_lost and self._pulse.is_steady

    async def _refresh(self, max_age_s: float) -> None:
        if not self._is_older(max_age_s):
            return
        async with self._refreshing:
            if self._is_older(max_age_s):  # and nobody else has asked meanwhile
                asked_s = asyncio.get_running_loop().time()
                self._nodes = {node.name: node for node in await self._rows.nodes()}
                self._known_at_s = asked_s

    def _is_older(self, max_age_s: float) -> bool:
        return asyncio.get_running_loop().time() >= self._known_at_s + max_age_s

    def _open_session(self, max_connections: int) -> aiohttp.ClientSession:
        """The session that has so many connections to each node; 0 for as many as are asked for."""
        if max_connections not in self._sessions:
            self._sessions[max_connections] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, limit_per_host=max_connections, ttl_dns_cache=10, socket_factory=_socket
                ),
                timeout=aiohttp.ClientTimeout(total=None, connect=QUEUE_S, sock_connect=CONNECT_S, sock_read=SILENCE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=(hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.USER_AGENT, hdrs.CONTENT_TYPE),
                auto_decompress=False,
            )
        return self._sessions[max_connections]


async def blocks(node: str, reply: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The body of the node's reply, as it comes. Raises NodeUnavailable when the node stops before its end."""
    with answering(node):
        async for block in reply.content.iter_any():
            yield block


@contextmanager
def answering(node: str) -> Iterator[None]:
    """Translates what goes wrong with a call to the node. Raises NodeUnavailable."""
    try:
        yield
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as fault:
        log.warning("the node %s doesn't answer: %s", node, type(fault).__name__)
        raise unavailable() from fault


def unavailable() -> NodeUnavailable:
    """The error for a node that doesn't answer."""
    return NodeUnavailable(retry_after_s=RETRY_AFTER_S)


def _socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol = address[:3]
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    return made
