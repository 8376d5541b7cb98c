"""The sockets that are listened on, and what the kernel does for them: waiting connections, dead peers, open files."""

import asyncio
import logging
import os
import resource
import socket
import time
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from appliance.errors import UnfitInstallation

BACKLOG = 4096  # clients wait here during a restart: seconds of the peak load (Linux' own default limit)
ACCEPTED_AT_ONCE = 64  # by one turn of the loop; asyncio would else take, or fail to take, the whole backlog
UNREAD_S = 300  # the kernel ends a peer that acknowledges nothing for so long, or keeps its window shut
OPEN_FILES = 65_536  # as many as the unit gives
TOLD_EVERY_S = 60.0

log = logging.getLogger(__name__)


async def listen(runner: web.AppRunner, address: str, handed_over: Sequence[socket.socket]) -> list[web.BaseSite]:
    """On the sockets that systemd handed over, which outlive this process; without any, on the address.

    Raises UnfitInstallation.
    """
    host, _, port = address.rpartition(":")
    sites: list[web.BaseSite] = [web.SockSite(runner, one, backlog=ACCEPTED_AT_ONCE) for one in handed_over]
    sites = sites or [web.TCPSite(runner, host.strip("[]"), int(port), backlog=ACCEPTED_AT_ONCE, reuse_address=True)]
    try:
        for site in sites:
            await site.start()
            for one in _sockets_of(site):
                _prepare(one.fileno())
    except OSError as fault:
        raise UnfitInstallation(
            f"Can't listen on {address}: {fault.strerror}. "
            "Choose another address with APPLIANCE_SERVER_LISTEN or [server] listen."
        ) from fault
    return list(runner.sites)


def _sockets_of(site: web.BaseSite) -> Sequence[Any]:
    server = site._server
    return server.sockets if isinstance(server, asyncio.Server) else ()


def _prepare(descriptor: int) -> None:
    """Accepted sockets inherit the timeout. The backlog is set again: asyncio's is how many it accepts at a time."""
    with socket.socket(fileno=os.dup(descriptor)) as one:
        one.listen(BACKLOG)
        if one.family in (socket.AF_INET, socket.AF_INET6):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_S * 1000)


def allow_open_files() -> None:
    """As many as may be: where no unit said otherwise, a process starts with 1,024 and may take more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class AcceptFaults:
    """An event loop's exception handler: connections that can't be accepted make one line a minute, without a trace."""

    def __init__(self) -> None:
        self._told_s = -TOLD_EVERY_S
        self._since = 0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not str(context.get("message", "")).startswith("socket.accept()"):
            loop.default_exception_handler(context)
            return
        self._since += 1
        if time.monotonic() - self._told_s >= TOLD_EVERY_S:
            log.error("can't accept connections: %s", context.get("exception"), extra={"times": self._since})
            self._told_s, self._since = time.monotonic(), 0
