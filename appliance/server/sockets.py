"""Listening sockets, and what the kernel does for them: waiting connections, dead peers, open files."""

import asyncio
import logging
import resource
import socket
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aiohttp import web

from appliance.config.model import is_loopback
from appliance.domain.errors import UnfitInstallation

BACKLOG = 4096  # clients wait here during a restart: seconds of the peak load (Linux' own default limit)
ACCEPTED_AT_ONCE = 8  # in one turn of the loop; asyncio would accept, or fail to accept, the whole backlog
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: closed with a reset, which leaves nothing of a connection behind."""
UNREAD_S = 300  # the kernel ends a peer that acknowledges nothing for so long, or keeps its window shut
UNSENT_BYTES = 256 * 1024  # of a reply, in the kernel; it would take 4 MB for a peer that reads nothing
OPEN_FILES = 65_536  # as many as the unit gives
LOG_EVERY_S = 60.0

log = logging.getLogger(__name__)


class Listener(socket.socket):
    """A listening socket that can end a connection before anything is created for it, which costs a tenth as much."""

    turns_away: Callable[[str], bool] | None = None
    """Called with the peer's address; True ends the connection."""

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection that is not turned away. Raises BlockingIOError when there is none yet."""
        for _ in range(ACCEPTED_AT_ONCE):
            connection, peer = super().accept()
            if self.turns_away is None or not isinstance(peer, tuple) or not self.turns_away(peer[0]):
                return connection, peer
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            connection.close()
        raise BlockingIOError  # others get their turn of the loop


async def listen(
    runner: web.AppRunner,
    address: str,
    handed_over: Sequence[socket.socket],
    turns_away: Callable[[str], bool] | None = None,
    *,
    accepted_at_once: int = ACCEPTED_AT_ONCE,
) -> list[web.BaseSite]:
    """Listen on the sockets that systemd passed on, which outlive this process; without any, on the address.

    Raises UnfitInstallation.
    """
    try:
        listeners = [Listener(fileno=one.detach()) for one in handed_over] or bound(address)
        for one in listeners:
            one.turns_away = turns_away
            site = web.SockSite(runner, one, backlog=accepted_at_once)
            await site.start()
            _prepare(one)
    except OSError as fault:
        raise _unfit(address, fault) from fault
    return list(runner.sites)


def _unfit(address: str, fault: OSError) -> UnfitInstallation:
    return UnfitInstallation(
        f"Can't listen on {address}: {fault.strerror}. "
        "Choose another address with APPLIANCE_SERVER_LISTEN or [server] listen."
    )


def bound(address: str) -> list[Listener]:
    """Sockets at the address that don't listen yet. Raises UnfitInstallation."""
    host, _, port = address.rpartition(":")
    made: list[Listener] = []
    try:
        for family, kind, protocol, _, name in socket.getaddrinfo(
            host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            made.append(one := Listener(family, kind, protocol))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(name)
    except OSError as fault:
        for one in made:
            one.close()
        raise _unfit(address, fault) from fault
    return made


def _prepare(one: socket.socket) -> None:
    """Accepted sockets inherit the options. The backlog is set again: asyncio's is how many it accepts at a time."""
    one.listen(BACKLOG)
    if one.family in (socket.AF_INET, socket.AF_INET6):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_S * 1000)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)


def are_open_to_others(sockets: Iterable[socket.socket]) -> bool:
    """Whether another machine can connect to any of these listening sockets."""
    names = [one.getsockname() for one in sockets]
    return any(isinstance(name, tuple) and not is_loopback(f"{name[0]}:{name[1]}") for name in names)


def allow_open_files() -> None:
    """Raise the limit of open files as far as it goes: without a unit a process starts with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class AcceptFaults:
    """An event loop's exception handler: connections that can't be accepted make one line a minute, without a trace."""

    def __init__(self) -> None:
        self._logged_s = -LOG_EVERY_S
        self._since = 0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not str(context.get("message", "")).startswith("socket.accept()"):
            loop.default_exception_handler(context)
            return
        self._since += 1
        if time.monotonic() - self._logged_s >= LOG_EVERY_S:
            log.error("can't accept connections: %s", context.get("exception"), extra={"times": self._since})
            self._logged_s, self._since = time.monotonic(), 0
