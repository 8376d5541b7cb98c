"""A private network of one's own for several machines: a namespace for each, joined by a bridge."""

import subprocess
import time
from pathlib import Path

from tests.deploy.machine import Broken, run

BRIDGE = "bridge"
PREFIX = "10.9.0"
OWN = f"{PREFIX}.254"
WITHIN_S = 10.0


class Network:
    """Call it inside namespaces of one's own, which it ends with. This side of it has an address too."""

    def __init__(self) -> None:
        self._holders: list[subprocess.Popen[bytes]] = []
        run(["ip", "link", "add", BRIDGE, "type", "bridge"])
        run(["ip", "address", "add", f"{OWN}/24", "dev", BRIDGE])
        run(["ip", "link", "set", BRIDGE, "up"])

    def join(self, name: str) -> tuple[Path, str]:
        """A namespace for a machine of that name, and the address that it has there."""
        holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self._holders.append(holder)
        space = Path(f"/proc/{holder.pid}/ns/net")
        _await_space(space)
        address = f"{PREFIX}.{len(self._holders)}"
        run(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid)])
        run(["ip", "link", "set", name, "master", BRIDGE, "up"])
        inside = ["nsenter", f"--net={space}", "ip"]
        run([*inside, "link", "set", "lo", "up"])
        run([*inside, "address", "add", f"{address}/24", "dev", "eth0"])
        run([*inside, "link", "set", "eth0", "up"])
        return space, address

    def close(self) -> None:
        """End the namespaces, once their machines have stopped."""
        for holder in self._holders:
            holder.kill()
            holder.wait()


def _await_space(space: Path) -> None:
    until = time.monotonic() + WITHIN_S
    own = Path("/proc/self/ns/net").readlink()
    while space.readlink() == own:
        if time.monotonic() > until:
            raise Broken("no network namespace was made")
        time.sleep(0.02)
