"""Networks: as text, and the wider prefix that a client's address is in, for those who have many addresses."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from socket import AF_INET6, inet_ntop, inet_pton

IPV6_CLIENT = "/64"
SITE_BYTES = 6
"""Of an IPv6 address: a site usually gets a network of 48 bits at most."""
MAPPED_BITS = 96
"""Before the IPv4 address in an IPv6 address that maps it."""
_MAX_TRUSTED = {4: 2**24, 6: 2**108}
"""Addresses of the internet: an IPv4 /8, and an IPv6 /20. The networks of the largest CDNs are a tenth of that."""


def prefix_of(client: str) -> str:
    """The /24 or /48 around a client that is an address; empty for others."""
    if client.endswith(IPV6_CLIENT):
        packed = inet_pton(AF_INET6, client.removesuffix(IPV6_CLIENT))
        return f"{inet_ntop(AF_INET6, packed[:SITE_BYTES].ljust(16, bytes(1)))}/{SITE_BYTES * 8}"
    network, dot, _ = client.rpartition(".")
    return f"{network}.0/24" if dot else ""


def parse_network(text: str) -> IPv4Network | IPv6Network:
    """The network, or that of one address; one written in IPv6 that maps IPv4 addresses becomes an IPv4 network.

    Addresses are compared unmapped, so it would match none otherwise. Raises ValueError.
    """
    network = ip_network(text, strict=False)
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < MAPPED_BITS:
        return network
    return IPv4Network((int(mapped), network.prefixlen - MAPPED_BITS))


def are_too_wide(networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether together they contain a good part of the internet, which nobody's proxies are."""
    public = [network for network in networks if not network.is_private]
    return any(
        sum(network.num_addresses for network in public if network.version == version) > most
        for version, most in _MAX_TRUSTED.items()
    )
