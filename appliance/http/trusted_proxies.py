"""Trusted proxies: the client's address behind them, and the request id that they may set."""

import itertools
import secrets
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from aiohttp import web

from appliance.domain.clients import Client

MAX_ID_CHARS = 64
MAX_PROXIES = 32  # in a row; addresses further down a list are ignored
ID_BYTES = 4
NETWORK_BYTES = 8
"""Of an IPv6 address: one customer usually gets a network of 64 bits."""
IPV4_PREFIXES = (bytes(10) + b"\xff\xff", bytes.fromhex("0064ff9b") + bytes(8))
"""How an IPv6 address that stands for an IPv4 address begins: mapped by the kernel, or translated (RFC 6052)."""


class TrustedProxies:
    """Reads X-Forwarded-For and X-Request-ID, but only from `trusted_proxies` (addresses or networks)."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._trusted: list[IPv4Network | IPv6Network] = [ip_network(proxy, strict=False) for proxy in trusted_proxies]
        self._start = secrets.token_hex(ID_BYTES)  # drawn once, to save a system call for each request
        self._numbers = itertools.count(1)

    def address(self, request: web.Request) -> str:
        """The nearest address that isn't a trusted proxy's; `-` for a connection without an address."""
        peer = request.remote or "-"
        if not self._trusts(peer):
            return peer
        forwarded = ",".join(
            request.headers.getall("X-Forwarded-For", ())
        )  # several lines are one list (RFC 9110, 5.3)
        for nearest in reversed(forwarded.rsplit(",", MAX_PROXIES)[-MAX_PROXIES:]):
            candidate = nearest.strip()
            if candidate and not self._trusts(candidate):
                parsed = _parse_address(candidate)
                return peer if parsed is None else str(parsed)
        return peer

    def client(self, request: web.Request) -> Client:
        """The client of a request. Everybody behind one IPv4 address, or in one /64 of IPv6, is one client."""
        return Client(_key_of(self.address(request)))

    def client_key(self, address: str) -> str:
        """The key of a connection's client before any request is read; empty for a trusted proxy."""
        return "" if self._trusts(address) else _key_of(address)

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


def _key_of(address: str) -> str:
    if ":" not in address:
        return address
    try:
        packed = inet_pton(AF_INET6, address.partition("%")[0])
    except OSError:
        return address
    if packed.startswith(IPV4_PREFIXES):
        return inet_ntop(AF_INET, packed[len(IPV4_PREFIXES[0]) :])
    return f"{inet_ntop(AF_INET6, packed[:NETWORK_BYTES] + bytes(NETWORK_BYTES))}/{NETWORK_BYTES * 8}"


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address, also of `192.0.2.1:5678` and `[2001:db8::1]:443`, as some proxies write them."""
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
