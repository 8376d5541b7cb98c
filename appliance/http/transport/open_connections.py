"""Every open connection, counted by the address of its client, and those whose clients read too slowly.

The number of connections is limited so that files can still be opened. At the limit, the address with the most
connections loses one to another address. One address has a share (`client_limiter`) at most: beyond it, a new
connection replaces an idle one or is closed. Trusted proxies are exempt, because they count their own clients. A
response that nobody reads is aborted, because it holds memory, a file and a place.
"""

import asyncio
import logging
import resource
import socket
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from aiohttp import web

from appliance.config.model import MB
from appliance.http.trusted_proxies import TrustedProxies
from appliance.shared.client_limiter import share_of

MAX_PER_ADDRESS = 512
"""Less where an address's share is smaller. A proxy that forwards many people's requests has to be a trusted one."""
FIRST_HEAD_S = 30.0
"""How long a new connection may take to send its first request's head; later ones have the keep-alive timeout."""
MIN_AGE_S = 5.0
"""Younger connections are left alone, idle or not: in a flood, new ones would replace each other at great cost."""
MAX_IDLE_CHECKS = 128
"""How many of an address's oldest connections are checked for an idle one; checking all would block the event loop."""
MIN_BYTES_PER_S = 1024
WINDOW_S = 300.0
"""The minimum rate is an average over this time. A phone on GPRS reads faster, but behind a proxy in steps: TCP opens a
closed window by a sixteenth of the proxy's buffer, 400 KB, at a time."""
CHECK_INTERVAL_S = 10.0
MAX_UNREAD_BYTES = 256 * MB
"""Of responses that are made and not read; beyond this, the slowest readers are disconnected."""
_BYTES_ACKED = struct.Struct("120xQ")  # tcpi_bytes_acked in Linux's struct tcp_info

log = logging.getLogger(__name__)


class TrackedConnection(Protocol):
    """What this module needs to know of a connection."""

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a request."""
        ...

    def client(self) -> str:
        """The key of the client whose response is being sent; empty if that isn't known."""
        ...


@dataclass(slots=True)
class _UnreadResponse:
    """What a client hasn't read of a response yet."""

    client: str
    bytes: int


class OpenConnections:
    """Counts and limits connections. Used from the event loop only."""

    def __init__(self, trusted_proxies: TrustedProxies) -> None:
        self.max_connections = max(64, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self.max_per_address = min(MAX_PER_ADDRESS, share_of(self.max_connections))
        self.max_unread_bytes = MAX_UNREAD_BYTES
        self.window_s, self.check_interval_s, self.min_age_s = WINDOW_S, CHECK_INTERVAL_S, MIN_AGE_S
        self.first_head_s = FIRST_HEAD_S
        self.unread_bytes = 0
        self._trusted_proxies = trusted_proxies
        self._transports: dict[TrackedConnection, asyncio.Transport] = {}
        self._by_client: dict[str, dict[TrackedConnection, float]] = {}  # with the time of each, the oldest first
        self._clients: dict[TrackedConnection, str] = {}
        self._unread: dict[TrackedConnection, _UnreadResponse] = {}
        self._marks: dict[TrackedConnection, tuple[float, int]] = {}  # a time, and the bytes read until then

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._transports)

    @property
    def idle_count(self) -> int:
        """How many of them wait for a request."""
        return sum(connection.is_idle for connection in self._transports)

    # --- limits -------------------------------------------------------------------------------------------------------

    def would_refuse(self, address: str) -> bool:
        """Whether a new connection from the address would be closed at once, so that it need not be made."""
        client = self._trusted_proxies.client_id(address)
        others = self._by_client.get(client, {})
        return bool(client) and len(others) >= self.max_per_address and self._oldest_idle(others) is None

    def add(self, connection: TrackedConnection, transport: asyncio.Transport) -> None:
        """Count a connection, and close one if there are too many."""
        name = transport.get_extra_info("peername")
        client = self._trusted_proxies.client_id(name[0]) if isinstance(name, tuple) else ""
        self._transports[connection], self._clients[connection] = transport, client
        own = self._by_client.setdefault(client, {})
        own[connection] = time.monotonic()
        if client and len(own) > self.max_per_address:
            self._close_one(own, connection)
        elif client and len(self._transports) > self.max_connections:
            largest = max((those for client, those in self._by_client.items() if client), key=len)
            self._close_one(largest, connection)

    def remove(self, connection: TrackedConnection) -> None:
        """Forget a connection that has ended."""
        client = self._clients.pop(connection, None)
        if client is None:
            return
        del self._transports[connection]
        own = self._by_client[client]
        del own[connection]
        if not own:
            del self._by_client[client]
        self.writing_resumed(connection)
        self._marks.pop(connection, None)

    def _close_one(self, connections: dict[TrackedConnection, float], newcomer: TrackedConnection) -> None:
        """Close the oldest idle one of an address's connections, or else the newest.

        If the newcomer's address has as many, its new connection is closed instead of one in use.
        """
        closed = self._oldest_idle(connections)
        if closed is None:
            has_more = len(connections) > len(self._by_client[self._clients[newcomer]])
            closed = next(reversed(connections)) if has_more else newcomer
        self._abort(closed)

    def _oldest_idle(self, connections: dict[TrackedConnection, float]) -> TrackedConnection | None:
        """The first idle one of the oldest connections that have reached the minimum age."""
        newest_s = time.monotonic() - self.min_age_s
        for connection, opened_s in islice(connections.items(), MAX_IDLE_CHECKS):
            if opened_s > newest_s:
                return None
            if connection.is_idle:
                return connection
        return None

    def _abort(self, connection: TrackedConnection) -> None:
        transport = self._transports[connection]
        self.remove(connection)
        transport.abort()

    # --- slow readers -------------------------------------------------------------------------------------------------

    def writing_paused(self, connection: TrackedConnection) -> None:
        """The connection's buffer holds more than its client has room for."""
        transport = self._transports.get(connection)
        if transport is None:
            return
        bytes_ = transport.get_write_buffer_size()
        self._unread[connection] = _UnreadResponse(connection.client() or self._clients[connection], bytes_)
        self.unread_bytes += bytes_
        while self.unread_bytes > self.max_unread_bytes and self._unread:
            self._close_slow_reader()

    def writing_resumed(self, connection: TrackedConnection) -> None:
        """The client has read nearly everything."""
        if (response := self._unread.pop(connection, None)) is not None:
            self.unread_bytes -= response.bytes

    def _close_slow_reader(self) -> None:
        """Of the client with the most unread bytes, close the connection that has waited longest."""
        by_client: dict[str, int] = {}
        for response in self._unread.values():
            by_client[response.client] = by_client.get(response.client, 0) + response.bytes
        client = max(by_client, key=by_client.__getitem__)
        self._abort(next(connection for connection, response in self._unread.items() if response.client == client))

    async def watch(self, _app: web.Application) -> AsyncIterator[None]:
        """A cleanup context: close stalled connections while the application runs."""
        task = asyncio.create_task(self._close_stalled_forever())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _close_stalled_forever(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self.check_interval_s)
            self.close_stalled(clock())

    def close_stalled(self, now_s: float) -> None:
        """Close the connections whose clients have read less than the minimum rate in the last window."""
        for connection, transport in tuple(self._transports.items()):
            if not transport.get_write_buffer_size() or (read_bytes := _acknowledged_bytes(transport)) is None:
                self._marks.pop(connection, None)
                continue
            since_s, before = self._marks.setdefault(connection, (now_s, read_bytes))
            if now_s - since_s < self.window_s:
                continue
            self._marks[connection] = (now_s, read_bytes)
            if read_bytes - before < MIN_BYTES_PER_S * self.window_s:
                fields = {"client": self._clients[connection], "bytes": read_bytes - before}
                log.info("disconnected a client that doesn't read", extra=fields)
                self._abort(connection)


def _acknowledged_bytes(transport: asyncio.Transport) -> int | None:
    """How many bytes the client has acknowledged; None for a connection that isn't TCP or has ended."""
    sock: Any = transport.get_extra_info("socket")
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_ACKED.size)
        acknowledged: int = _BYTES_ACKED.unpack(info)[0]
    except (OSError, struct.error):
        return None
    return acknowledged
