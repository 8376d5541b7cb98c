"""The doctor's look at the network: whether this machine may and can connect to database, store and other servers."""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from yarl import URL

from appliance.catalogue.opening import database_addresses
from appliance.config.model import Config
from appliance.doctor.findings import Finding, fault, ok, warn
from appliance.domain.errors import ApplianceError
from appliance.server.control import ask_status

WITHIN_S = 3.0
_DISCARD = 9  # the port of the protocol that throws away what it gets
_NOT_PERMITTED = (
    "not permitted by this server's own filter: add the address to IPAddressAllow= of appliance.service "
    "(with Ansible, to appliance_allowed_networks)"
)
_WORDS = {
    errno.ECONNREFUSED: "refused: nothing listens there, or a firewall rejects it",
    errno.EHOSTUNREACH: "no answer from that machine: is it running, and in this network?",
    errno.ENETUNREACH: "this machine has no route to it",
    errno.EPERM: _NOT_PERMITTED,
}
_TIMED_OUT = f"timed out after {WITHIN_S:.0f} s: a firewall drops it, or the machine is off"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What this server needs on another machine. `part` is a word for people."""

    part: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"the {self.part} at {self.host}:{self.port}"


async def network(config: Config) -> AsyncIterator[Finding]:
    """A line for each machine that can't be reached, or one for all of them; none where all is on this machine."""
    endpoints = [endpoint for endpoint in await _endpoints(config) if not _is_here(endpoint.host)]
    obstacles = await asyncio.gather(*(find_obstacle(endpoint) for endpoint in endpoints))
    for endpoint, obstacle in zip(endpoints, obstacles, strict=True):
        if obstacle is not None:
            others = [rest for other, rest in zip(endpoints, obstacles, strict=True) if other.part == endpoint.part]
            said = f"can't connect to {endpoint}: {obstacle}"
            is_spared = endpoint.part == "database" and None in others  # a replica takes the place of a primary
            yield warn("network", said) if is_spared else fault("network", said)
    if endpoints and not any(obstacles):
        yield ok("network", f"connects to {', '.join(map(str, endpoints))}")


async def find_obstacle(endpoint: Endpoint) -> str | None:
    """Why this process can't connect to it, and what to do. None if it can."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(WITHIN_S):
            found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, TimeoutError):
        return "its name can't be looked up: check the name, and that this server may ask its nameservers"
    family, kind, protocol, _, address = found[0]
    try:
        with socket.socket(family, kind, protocol) as probe:
            probe.setblocking(False)
            async with asyncio.timeout(WITHIN_S):
                await loop.sock_connect(probe, address)
    except TimeoutError:
        return _NOT_PERMITTED if _is_filtered(family, str(address[0])) else _TIMED_OUT
    except OSError as error:
        return _WORDS.get(error.errno or 0) or str(error.strerror)
    return None


def _is_filtered(family: int, address: str) -> bool:
    """Whether this process may send nothing there. TCP only waits when its packets are dropped here; UDP says so."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.sendto(b"", (address, _DISCARD))
        except PermissionError:
            return True
        except OSError:
            return False
    return False


async def _endpoints(config: Config) -> Sequence[Endpoint]:
    endpoints = [Endpoint("database", host, port) for host, port in database_addresses(config)]
    if config.store.kind == "minio":
        url = URL(f"{'https' if config.store.secure else 'http'}://{config.store.endpoint}")
        endpoints.append(Endpoint("store", url.host or "", url.port or 0))
    return [*endpoints, *await _other_servers(config)]


async def _other_servers(config: Config) -> Sequence[Endpoint]:
    """Those that live, as the running server knows them."""
    try:
        status = await ask_status(config)
    except ApplianceError:  # also where none runs
        return []
    nodes = [node for node in status.get("nodes", ()) if node["state"] == "alive" and node["name"] != status["node"]]
    urls = [(node["name"], URL(node["url"])) for node in nodes]
    return [Endpoint(f"server {name}", url.host or "", url.port or 0) for name, url in urls]


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
