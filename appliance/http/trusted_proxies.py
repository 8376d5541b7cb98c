"""Trusted proxies: the client's address behind them, and the request id that they may set."""

import itertools
import secrets
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from aiohttp import web

from appliance.domain.clients import Client
from appliance.domain.networks import parse_network

MAX_ID_CHARS = 64
MAX_PROXIES = 32  # in a row; addresses further down a list are ignored
ID_BYTES = 4
NETWORK_BYTES = 8
"""Of an IPv6 address: one customer usually gets a network of 64 bits."""
WIDER_BYTES = 6
"""Of an IPv6 address: some customers get 48 bits, and can change their network at will."""
MAX_USER_CHARS = 256
MAX_ADDRESS_CHARS = 64
REMEMBERED_ADDRESSES = 1024
"""Parsed lately: each request needs those of its connection and its client up to five times."""
UNKNOWN = "unknown"
IPV4_PREFIXES = (bytes(10) + b"\xff\xff", bytes.fromhex("0064ff9b") + bytes(8))
"""How an IPv6 address that stands for an IPv4 address begins: mapped by the kernel, or translated (RFC 6052)."""


class TrustedProxies:
    """Reads X-Forwarded-For and X-Request-ID, but only from `trusted_proxies` (addresses or networks)."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._trusted = [parse_network(proxy) for proxy in trusted_proxies]
        self._start = secrets.token_hex(ID_BYTES)  # drawn once, to save a system call for each request
        self._numbers = itertools.count(1)

    def address(self, request: web.Request) -> str:
        """The nearest address that isn't a trusted proxy's; `-` for a connection without an address.

        All whom a trusted proxy names otherwise, such as `unknown`, are one client, `unknown`: not the proxy.
        """
        peer = _unmapped(request.remote or "-")
        if not self._trusts(peer):
            return peer
        forwarded = ",".join(
            request.headers.getall("X-Forwarded-For", ())
        )  # several lines are one list (RFC 9110, 5.3)
        for nearest in reversed(forwarded.rsplit(",", MAX_PROXIES)[-MAX_PROXIES:]):
            candidate = nearest.strip()
            if candidate and not self._trusts(candidate):
                parsed = _parse_address(candidate)
                return UNKNOWN if parsed is None else str(parsed)
        return peer

    def client(self, request: web.Request) -> Client:
        """The client of a request. Everybody behind one IPv4 address, or in one /64 of IPv6, is one client."""
        return Client(_id_of(self.address(request)))

    def user(self, request: web.Request, header: str) -> str | None:
        """The person whom a trusted proxy names in the header; None without one, or if it comes from anybody else."""
        named = request.headers.getall(header, ())
        if len(named) != 1 or not self._trusts(_unmapped(request.remote or "-")):
            return None
        name = named[0].strip()
        return name if 0 < len(name) <= MAX_USER_CHARS and name.isprintable() else None

    def client_id(self, address: str) -> str:
        """The id of a connection's client before any request is read; empty for a trusted proxy."""
        return "" if self._trusts(address) else _id_of(address)

    def is_trusted(self, address: str) -> bool:
        """Whether it is a trusted proxy's."""
        return self._trusts(_unmapped(address))

    def peer_id(self, address: str) -> str:
        """The id of a connection's other end as a client, whether it is trusted or not."""
        return _id_of(_unmapped(address))

    def request_id(self, request: web.Request) -> str:
        """The id that a trusted proxy set, if it is short and alphanumeric, else a new one."""
        given = request.headers.get("X-Request-ID", "")
        if given and self._trusts(request.remote or "-") and _is_plain(given):
            return given
        return f"{self._start}-{next(self._numbers):x}"

    def _trusts(self, address: str) -> bool:
        if not self._trusted or (parsed := _parse_address(address)) is None:
            return False
        return any(parsed in network for network in self._trusted)


def _id_of(address: str) -> str:
    if ":" not in address:
        return address
    try:
        packed = inet_pton(AF_INET6, address.partition("%")[0])
    except OSError:
        return address
    if packed.startswith(IPV4_PREFIXES):
        return inet_ntop(AF_INET, packed[len(IPV4_PREFIXES[0]) :])
    return f"{inet_ntop(AF_INET6, packed[:NETWORK_BYTES] + bytes(NETWORK_BYTES))}/{NETWORK_BYTES * 8}"


def _unmapped(peer: str) -> str:
    """The peer as an IPv4 address if a socket for both families reports it as `::ffff:192.0.2.1`."""
    if not peer.startswith("::ffff:"):
        return peer
    address = _parse_address(peer)
    return peer if address is None else str(address)


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address as `_parse_short` finds it; no longer text is one."""
    return _parse_short(text) if len(text) <= MAX_ADDRESS_CHARS else None


@lru_cache(REMEMBERED_ADDRESSES)
def _parse_short(text: str) -> IPv4Address | IPv6Address | None:
    """The address, also of `192.0.2.1:5678`, `[2001:db8::1]` and `[2001:db8::1]:443`, as some proxies write them.

    An IPv6 address that maps an IPv4 address becomes that.
    """
    text = text.strip('"')  # the quotes of Forwarded (RFC 7239), which some proxies copy
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_plain(given: str) -> bool:
    return len(given) <= MAX_ID_CHARS and given.isascii() and given.replace("-", "").replace("_", "").isalnum()
