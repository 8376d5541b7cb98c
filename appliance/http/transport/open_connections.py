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
from appliance.http.client_address import Callers
from appliance.shared.client_limiter import share_of

MAX_OF_AN_ADDRESS = 512
"""An address has fewer where its share is smaller. A proxy that brings many people's requests has to be trusted."""
SETTLED_S = 5.0
"""How long a connection is left alone, idle or not: in a flood, new ones would else push out new ones at great cost."""
LOOKED_AT = 128
"""Of an address's oldest connections, for an idle one; a look at all of them for each newcomer holds up everybody."""
LEAST_BYTES_PER_S = 1024
WINDOW_S = 300.0
"""In which a reader has to keep up the least rate. A phone on GPRS takes more, but behind a proxy by jumps: TCP opens a
closed window by a sixteenth of the proxy's buffer, 400 KB, at a time."""
LOOK_S = 10.0
UNREAD_BYTES = 256 * MB  # of replies that are made and not read, before the slowest readers go
_ACKED_AT = struct.Struct("120xQ")  # tcpi_bytes_acked of Linux' struct tcp_info

log = logging.getLogger(__name__)


class Member(Protocol):
    """A connection, as the crowd sees it."""

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a request."""
        ...

    def client(self) -> str:
        """Who gets the reply that is on its way; empty when that is not known."""
        ...


@dataclass(slots=True)
class _Reading:
    """A reply that was not read at once."""

    client: str
    bytes: int


class Crowd:
    """Touched by the event loop's thread alone. `callers` know whose share a connection counts for."""

    def __init__(self, callers: Callers) -> None:
        self.most = max(64, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self.share = min(MAX_OF_AN_ADDRESS, share_of(self.most))
        self.most_unread_bytes = UNREAD_BYTES
        self.window_s, self.look_s, self.settled_s = WINDOW_S, LOOK_S, SETTLED_S
        self._callers = callers
        self._unread_bytes = 0
        self._transports: dict[Member, asyncio.Transport] = {}
        self._by_peer: dict[str, dict[Member, float]] = {}  # when each came, the oldest first
        self._peers: dict[Member, str] = {}
        self._reading: dict[Member, _Reading] = {}
        self._marks: dict[Member, tuple[float, int]] = {}

    @property
    def now(self) -> int:
        """How many connections are open."""
        return len(self._transports)

    # --- who is here --------------------------------------------------------------------------------------------------

    def turns_away(self, address: str) -> bool:
        """Whether a connection from the address would be ended as soon as it came, so that it need not be made."""
        peer = self._callers.peer(address)
        here = self._by_peer.get(peer, {})
        return bool(peer) and len(here) >= self.share and self._longest_idle(here) is None

    def came(self, member: Member, transport: asyncio.Transport) -> None:
        """Count a connection; one that there is no room for ends now."""
        name = transport.get_extra_info("peername")
        peer = self._callers.peer(name[0]) if isinstance(name, tuple) else ""
        self._transports[member], self._peers[member] = transport, peer
        here = self._by_peer.setdefault(peer, {})
        here[member] = time.monotonic()
        if peer and len(here) > self.share:
            self._give_up_one(here, member)
        elif peer and len(self._transports) > self.most:
            self._give_up_one(max((here for peer, here in self._by_peer.items() if peer), key=len), member)

    def left(self, member: Member) -> None:
        """Forget a connection that has ended."""
        peer = self._peers.pop(member, None)
        if peer is None:
            return
        del self._transports[member]
        here = self._by_peer[peer]
        del here[member]
        if not here:
            del self._by_peer[peer]
        self.reads_again(member)
        self._marks.pop(member, None)

    def _give_up_one(self, among: dict[Member, float], newcomer: Member) -> None:
        """Of an address's connections the one that has been here for longest and is idle; if none is, the newest.

        An address that has no more than the newcomer's loses none that is in use.
        """
        given_up = self._longest_idle(among)
        if given_up is None:
            given_up = next(reversed(among)) if len(among) > len(self._by_peer[self._peers[newcomer]]) else newcomer
        self._end(given_up)

    def _longest_idle(self, among: dict[Member, float]) -> Member | None:
        """The oldest connection that is idle and has settled, if one of the oldest is."""
        settled_since_s = time.monotonic() - self.settled_s
        for member, came_s in islice(among.items(), LOOKED_AT):
            if came_s > settled_since_s:
                return None
            if member.is_idle:
                return member
        return None

    def _end(self, member: Member) -> None:
        transport = self._transports[member]
        self.left(member)
        transport.abort()

    # --- who does not read ------------------------------------------------------------------------------------------

    def waits_for_reader(self, member: Member) -> None:
        """Note that more lies in a connection's buffer than its client has room for."""
        transport = self._transports.get(member)
        if transport is None:
            return
        bytes_ = transport.get_write_buffer_size()
        self._reading[member] = _Reading(member.client() or self._peers[member], bytes_)
        self._unread_bytes += bytes_
        while self._unread_bytes > self.most_unread_bytes and self._reading:
            self._give_up_a_reader()

    def reads_again(self, member: Member) -> None:
        """Note that its client has read nearly all."""
        if (reading := self._reading.pop(member, None)) is not None:
            self._unread_bytes -= reading.bytes

    def _give_up_a_reader(self) -> None:
        """Of the client with most unread bytes, the one that has waited for longest."""
        unread: dict[str, int] = {}
        for reading in self._reading.values():
            unread[reading.client] = unread.get(reading.client, 0) + reading.bytes
        client = max(unread, key=unread.__getitem__)
        self._end(next(member for member, reading in self._reading.items() if reading.client == client))

    async def watching(self, _app: web.Application) -> AsyncIterator[None]:
        """For the application's lifetime: look at the readers now and then."""
        task = asyncio.create_task(self._watch())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self.look_s)
            self.look(clock())

    def look(self, now_s: float) -> None:
        """End the connections whose clients took too little of what waits for them."""
        for member, transport in tuple(self._transports.items()):
            if not transport.get_write_buffer_size() or (taken := _bytes_taken(transport)) is None:
                self._marks.pop(member, None)
                continue
            since_s, before = self._marks.setdefault(member, (now_s, taken))
            if now_s - since_s < self.window_s:
                continue
            self._marks[member] = (now_s, taken)
            if taken - before < LEAST_BYTES_PER_S * self.window_s:
                log.info(
                    "disconnected a client that doesn't read",
                    extra={"client": self._peers[member], "bytes": taken - before},
                )
                self._end(member)


def _bytes_taken(transport: asyncio.Transport) -> int | None:
    """How many bytes the other end has acknowledged; None for what is no TCP, or has ended."""
    sock: Any = transport.get_extra_info("socket")
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED_AT.size)
        taken: int = _ACKED_AT.unpack(info)[0]
    except (OSError, struct.error):
        return None
    return taken
