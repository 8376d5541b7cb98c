"""systemd's protocols: sockets that it passes on, readiness, and the watchdog.

See sd_listen_fds(3) and sd_notify(3). Outside of systemd there are no sockets and nobody to notify.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

FIRST_DESCRIPTOR = 3  # SD_LISTEN_FDS_START
PATIENCE_S = 1.0
"""A manager that hangs reads nothing, and the event loop waits meanwhile."""
METRICS = "metrics"
"""FileDescriptorName of the socket unit for Prometheus, if there is one; every other socket is for the site."""


@dataclass(frozen=True, slots=True)
class Supervisor:
    """The service manager, if there is one. Its sockets belong to the code that listens on them.

    Of several processes each has `node_sockets` for the other nodes, and shares `sockets` with those that `head` has
    started too.
    """

    sockets: tuple[socket.socket, ...] = ()
    metrics_sockets: tuple[socket.socket, ...] = ()
    node_sockets: tuple[socket.socket, ...] = ()
    address: str | None = None
    watchdog_s: float | None = None
    head: int | None = None

    def notify(self, *lines: str) -> None:
        """Send lines such as `READY=1`. A manager that doesn't listen is no reason to stop serving."""
        if self.address is None:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.settimeout(PATIENCE_S)
            line.connect(f"\0{self.address[1:]}" if self.address.startswith("@") else self.address)
            line.sendall("\n".join(lines).encode())

    @asynccontextmanager
    async def watchdog(self) -> AsyncIterator[None]:
        """Pet the manager's watchdog while the block runs. The event loop does it, so where that hangs, it stops."""
        petting = asyncio.ensure_future(self._pet_watchdog())
        try:
            yield
        finally:
            petting.cancel()

    async def _pet_watchdog(self) -> None:
        while self.watchdog_s is not None:
            self.notify("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_s / 2)


def supervisor(environ: MutableMapping[str, str]) -> Supervisor:
    """What the manager put into the environment, where it is removed: this process's children must not see it."""
    names = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
    said = {name: environ.pop(name, "") for name in names}
    ours = str(os.getpid())
    named = _handed_over(int(said["LISTEN_FDS"] or 0), said["LISTEN_FDNAMES"]) if said["LISTEN_PID"] == ours else []
    watched = said["WATCHDOG_USEC"] and said["WATCHDOG_PID"] in ("", ours)
    return Supervisor(
        sockets=tuple(one for name, one in named if name != METRICS),
        metrics_sockets=tuple(one for name, one in named if name == METRICS),
        address=said["NOTIFY_SOCKET"] or None,
        watchdog_s=int(said["WATCHDOG_USEC"]) / 1e6 if watched else None,
    )


def _handed_over(count: int, names: str) -> list[tuple[str, socket.socket]]:
    found = []
    for number, name in zip(range(count), [*names.split(":"), *[""] * count], strict=False):
        one = socket.socket(fileno=FIRST_DESCRIPTOR + number)
        one.set_inheritable(False)
        one.setblocking(False)
        found.append((name, one))
    return found
