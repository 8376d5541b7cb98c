"""Who calls: the client's address behind trusted proxies, and the id that a request goes by."""

import itertools
import secrets
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

MAX_ID_CHARS = 64
ID_BYTES = 4
LINE_BITS = 64


class Callers:
    """Believes X-Forwarded-For and X-Request-ID only from `trusted_proxies` (addresses or networks)."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._trusted: list[IPv4Network | IPv6Network] = [ip_network(proxy, strict=False) for proxy in trusted_proxies]
        self._start = secrets.token_hex(ID_BYTES)  # drawn once: a system call a request would be a tenth of a hot view
        self._numbers = itertools.count(1)

    def address(self, request: web.Request) -> str:
        """The nearest address that is no trusted proxy's; `-` for a connection without one."""
        peer = request.remote or "-"
        if not self._trusts(peer):
            return peer
        for forwarded in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
            candidate = forwarded.strip()
            if candidate and not self._trusts(candidate):
                return peer if _parsed(candidate) is None else candidate
        return peer

    def holder(self, request: web.Request) -> str:
        """Who has a share of this host: an address, or of IPv6 the network of 64 bits that a line comes with."""
        return _line(self.address(request))

    def peer(self, address: str) -> str:
        """The same for the other end of a connection, of which no request is known yet; empty for a trusted proxy."""
        if self._trusts(address):
            return ""
        return _line(address) if ":" in address else address  # the kernel writes an IPv4 address in one way

    def request_id(self, request: web.Request) -> str:
        """The id that a trusted proxy gave, if it is a plain one, else a fresh one."""
        given = request.headers.get("X-Request-ID", "")
        if given and self._trusts(request.remote or "-") and _is_plain(given):
            return given
        return self.fresh_id()

    def fresh_id(self) -> str:
        """An id that no other request has."""
        return f"{self._start}-{next(self._numbers):x}"

    def _trusts(self, address: str) -> bool:
        if not self._trusted or (parsed := _parsed(address)) is None:
            return False
        return any(parsed in network for network in self._trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _line(address: str) -> str:
    parsed = _parsed(address.partition("%")[0])
    if parsed is None:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((parsed, LINE_BITS), strict=False))


def _is_plain(given: str) -> bool:
    return len(given) <= MAX_ID_CHARS and given.isascii() and given.replace("-", "").replace("_", "").isalnum()
