"""The crowd: every open connection, counted by the address at its other end, and those that read too slowly.

There is room for so many connections that files can still be opened. When it is full, the address with most of them
gives one up for another's; one address has a share (`client_limiter`) at most, beyond which its new connections are
turned away or take the place of an idle one. Trusted proxies are not counted: they count their own clients. A reply
that nobody reads is given up: it holds memory, a file and a place.
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
"""An address has fewer where its share is smaller. A proxy that brings many people's requests has to be trusted."""
MIN_AGE_S = 5.0
"""How long a connection is left alone, idle or not: in a flood, new ones would else push out new ones at great cost."""
MAX_IDLE_CHECKS = 128
"""Of an address's oldest connections, for an idle one; a look at all of them for each newcomer holds up everybody."""
MIN_BYTES_PER_S = 1024
WINDOW_S = 300.0
"""In which a reader has to keep up the least rate. A phone on GPRS takes more, but behind a proxy by jumps: TCP opens a
closed window by a sixteenth of the proxy's buffer, 400 KB, at a time."""
CHECK_INTERVAL_S = 10.0
MAX_UNREAD_BYTES = 256 * MB  # of replies that are made and not read, before the slowest readers go
_ACKED_AT = struct.Struct("120xQ")  # tcpi_bytes_acked of Linux' struct tcp_info

log = logging.getLogger(__name__)


class TrackedConnection(Protocol):
    """A connection, as the crowd sees it."""

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a request."""
        ...

    def client(self) -> str:
        """Who gets the reply that is on its way; empty when that is not known."""
        ...


@dataclass(slots=True)
class _UnreadReply:
    """A reply that was not read at once."""

    client: str
    bytes: int


class OpenConnections:
    """Touched by the event loop's thread alone. `trusted_proxies` know whose share a connection counts for."""

    def __init__(self, trusted_proxies: TrustedProxies) -> None:
        self.max_connections = max(64, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self.max_per_address = min(MAX_PER_ADDRESS, share_of(self.max_connections))
        self.max_unread_bytes = MAX_UNREAD_BYTES
        self.window_s, self.check_interval_s, self.min_age_s = WINDOW_S, CHECK_INTERVAL_S, MIN_AGE_S
        self._trusted_proxies = trusted_proxies
        self._unread_bytes = 0
        self._transports: dict[TrackedConnection, asyncio.Transport] = {}
        self._by_peer: dict[str, dict[TrackedConnection, float]] = {}  # when each came, the oldest first
        self._peers: dict[TrackedConnection, str] = {}
        self._unread: dict[TrackedConnection, _UnreadReply] = {}
        self._marks: dict[TrackedConnection, tuple[float, int]] = {}

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._transports)

    # --- who is here --------------------------------------------------------------------------------------------------

    def would_refuse(self, address: str) -> bool:
        """Whether a connection from the address would be ended as soon as it came, so that it need not be made."""
        peer = self._trusted_proxies.client_key(address)
        here = self._by_peer.get(peer, {})
        return bool(peer) and len(here) >= self.max_per_address and self._oldest_idle(here) is None

    def add(self, connection: TrackedConnection, transport: asyncio.Transport) -> None:
        """Count a connection; one that there is no room for ends now."""
        name = transport.get_extra_info("peername")
        peer = self._trusted_proxies.client_key(name[0]) if isinstance(name, tuple) else ""
        self._transports[connection], self._peers[connection] = transport, peer
        here = self._by_peer.setdefault(peer, {})
        here[connection] = time.monotonic()
        if peer and len(here) > self.max_per_address:
            self._close_one(here, connection)
        elif peer and len(self._transports) > self.max_connections:
            self._close_one(max((here for peer, here in self._by_peer.items() if peer), key=len), connection)

    def remove(self, connection: TrackedConnection) -> None:
        """Forget a connection that has ended."""
        peer = self._peers.pop(connection, None)
        if peer is None:
            return
        del self._transports[connection]
        here = self._by_peer[peer]
        del here[connection]
        if not here:
            del self._by_peer[peer]
        self.writing_resumed(connection)
        self._marks.pop(connection, None)

    def _close_one(self, among: dict[TrackedConnection, float], newcomer: TrackedConnection) -> None:
        """Of an address's connections the one that has been here for longest and is idle; if none is, the newest.

        An address that has no more than the newcomer's loses none that is in use.
        """
        given_up = self._oldest_idle(among)
        if given_up is None:
            given_up = next(reversed(among)) if len(among) > len(self._by_peer[self._peers[newcomer]]) else newcomer
        self._abort(given_up)

    def _oldest_idle(self, among: dict[TrackedConnection, float]) -> TrackedConnection | None:
        """The oldest connection that is idle and has settled, if one of the oldest is."""
        settled_since_s = time.monotonic() - self.min_age_s
        for connection, came_s in islice(among.items(), MAX_IDLE_CHECKS):
            if came_s > settled_since_s:
                return None
            if connection.is_idle:
                return connection
        return None

    def _abort(self, connection: TrackedConnection) -> None:
        transport = self._transports[connection]
        self.remove(connection)
        transport.abort()

    # --- who does not read ------------------------------------------------------------------------------------------

    def writing_paused(self, connection: TrackedConnection) -> None:
        """Note that more lies in a connection's buffer than its client has room for."""
        transport = self._transports.get(connection)
        if transport is None:
            return
        bytes_ = transport.get_write_buffer_size()
        self._unread[connection] = _UnreadReply(connection.client() or self._peers[connection], bytes_)
        self._unread_bytes += bytes_
        while self._unread_bytes > self.max_unread_bytes and self._unread:
            self._close_slow_reader()

    def writing_resumed(self, connection: TrackedConnection) -> None:
        """Note that its client has read nearly all."""
        if (reading := self._unread.pop(connection, None)) is not None:
            self._unread_bytes -= reading.bytes

    def _close_slow_reader(self) -> None:
        """Of the client with most unread bytes, the one that has waited for longest."""
        unread: dict[str, int] = {}
        for reading in self._unread.values():
            unread[reading.client] = unread.get(reading.client, 0) + reading.bytes
        client = max(unread, key=unread.__getitem__)
        self._abort(next(connection for connection, reading in self._unread.items() if reading.client == client))

    async def watch(self, _app: web.Application) -> AsyncIterator[None]:
        """For the application's lifetime: look at the readers now and then."""
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
        """End the connections whose clients took too little of what waits for them."""
        for connection, transport in tuple(self._transports.items()):
            if not transport.get_write_buffer_size() or (taken := _bytes_taken(transport)) is None:
                self._marks.pop(connection, None)
                continue
            since_s, before = self._marks.setdefault(connection, (now_s, taken))
            if now_s - since_s < self.window_s:
                continue
            self._marks[connection] = (now_s, taken)
            if taken - before < MIN_BYTES_PER_S * self.window_s:
                log.info(
                    "disconnected a client that doesn't read",
                    extra={"client": self._peers[connection], "bytes": taken - before},
                )
                self._abort(connection)


def _bytes_taken(transport: asyncio.Transport) -> int | None:
    """How many bytes the other end has acknowledged; None for what is no TCP, or has ended."""
    sock: Any = transport.get_extra_info("socket")
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED_AT.size)
        taken: int = _ACKED_AT.unpack(info)[0]
    except (OSError, struct.error):
        return None
    return taken
