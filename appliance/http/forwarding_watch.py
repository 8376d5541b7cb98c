"""Watching for a proxy in front that isn't trusted: all people who come through it would be one address.

A forwarding header alone proves nothing, since anybody can send one. It counts from peers on this machine or in a
private network, where a proxy of ours would be, and only when nearly all requests of that peer have it. Somebody in the
same private network could still forge it, to have no limit of their own; so a peer on another machine counts only
while nobody reaches the server without such a header. Limits on everybody together hold in any case.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

from aiohttp import web

from appliance.http.trusted_proxies import TrustedProxies
from appliance.limits import LimitSwitch

FORWARDING_HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP")
MIN_REQUESTS = 20
MIN_FORWARDED_SHARE = 0.9
MAX_COUNTED = 1000
"""Then both counts are halved, so that what was set right is noticed."""
DIRECT_FOR_S = 3600.0
MAX_PEERS = 4096
SHARED_ADDRESSES = IPv4Network("100.64.0.0/10")
"""Between a provider or a private network's software (Tailscale) and its users (RFC 6598)."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Peer:
    """A peer that isn't trusted. `is_near`: on this machine or in a private network."""

    is_near: bool
    is_here: bool
    requests: int = 0
    forwarded: int = 0

    @property
    def forwards(self) -> bool:
        return self.requests >= MIN_REQUESTS and self.forwarded >= MIN_FORWARDED_SHARE * self.requests


class ForwardingWatch:
    """Adds the clients behind which many people are to `aside`, and takes them out when that has ended.

    Limits that wait for a proxy on this machine are switched on by the first request that one forwards.
    """

    def __init__(
        self, proxies: TrustedProxies, aside: set[str], clock: Callable[[], float], switch: LimitSwitch
    ) -> None:
        self.proxies = proxies
        self.untrusted_proxy: str | None = None
        """The address of a proxy that should be trusted, as it seems."""
        self.forwarding_strangers = 0
        """How many peers on the internet sent a forwarding header: a CDN that isn't trusted, or forgers."""
        self._aside = aside
        self._clock = clock
        self._switch = switch
        self._direct_s = -DIRECT_FOR_S
        self._peers: OrderedDict[str, _Peer | str] = OrderedDict()

    def note(self, request: web.Request, client: str) -> None:
        """Note a request of the client."""
        name = request.remote or "-"
        try:
            peer = self._peers[name]
        except KeyError:
            peer = self._met(name, request)
        if isinstance(peer, str):
            if client == peer:
                self._put_aside(client)  # a trusted proxy itself, or people whom it doesn't tell apart
        elif peer.is_near:
            self._count(name, peer, request, client)

    def _met(self, name: str, request: web.Request) -> _Peer | str:
        """What is remembered of a new peer; of a trusted proxy, and a socket without addresses, its id as a client."""
        address = _parsed(name)
        peer: _Peer | str = self.proxies.peer_id(name)
        if address is not None and not self.proxies.is_trusted(name):
            is_near = address.is_private or address.is_link_local or _is_shared(address)
            peer = _Peer(is_near, address.is_loopback)
            if not is_near:
                self._meet_stranger(name, request)
        self._peers[name] = peer
        if len(self._peers) > MAX_PEERS:
            self._peers.popitem(last=False)
        return peer

    def _meet_stranger(self, name: str, request: web.Request) -> None:
        if not _is_forwarded(request):
            self._direct_s = self._clock()
            return
        self.forwarding_strangers += 1
        if self.forwarding_strangers == 1:
            log.warning(
                "a peer that isn't trusted sends forwarding headers: if it is your CDN, add it to trusted_proxies",
                extra={"peer": name},
            )

    def _count(self, name: str, peer: _Peer, request: web.Request, client: str) -> None:
        peer.requests += 1
        if _is_forwarded(request):
            peer.forwarded += 1
            self._meet_proxy(name)
        elif not peer.is_here and not peer.forwards:
            self._direct_s = self._clock()
        if peer.requests % MIN_REQUESTS == 0:
            self._judge(name, peer, client)
        if peer.requests >= MAX_COUNTED:
            peer.requests, peer.forwarded = peer.requests // 2, peer.forwarded // 2

    def _meet_proxy(self, name: str) -> None:
        if self._switch.meet_proxy():
            log.warning(
                "a peer on this machine sends forwarding headers and isn't trusted: from now on, uploads and bytes of "
                "everybody together are limited; for limits by address, add it to server.trusted_proxies",
                extra={"peer": name},
            )

    def _judge(self, name: str, peer: _Peer, client: str) -> None:
        is_direct_usual = not peer.is_here and self._clock() - self._direct_s < DIRECT_FOR_S
        if peer.forwards and not is_direct_usual:
            self._put_aside(client)
        else:
            self._aside.discard(client)
        if peer.forwards and self.untrusted_proxy is None:
            self.untrusted_proxy = name
            log.warning(
                "a proxy in front isn't trusted, so all people who come through it count as one: add its address to "
                "server.trusted_proxies",
                extra={"peer": name},
            )
        elif not peer.forwards and self.untrusted_proxy == name:
            self.untrusted_proxy = None

    def _put_aside(self, client: str) -> None:
        if len(self._aside) < MAX_PEERS:
            self._aside.add(client)


def _parsed(name: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_shared(address: IPv4Address | IPv6Address) -> bool:
    return isinstance(address, IPv4Address) and address in SHARED_ADDRESSES


def _is_forwarded(request: web.Request) -> bool:
    headers = request.headers
    return any(name in headers for name in FORWARDING_HEADERS)
