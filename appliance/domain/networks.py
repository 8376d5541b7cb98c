"""Networks: the wider prefix that a client's address is in, for those who have many addresses."""

from socket import AF_INET6, inet_ntop, inet_pton

IPV6_CLIENT = "/64"
SITE_BYTES = 6
"""Of an IPv6 address: a site usually gets a network of 48 bits at most."""


def prefix_of(client: str) -> str:
    """The /24 or /48 around a client that is an address; empty for others."""
    if client.endswith(IPV6_CLIENT):
        packed = inet_pton(AF_INET6, client.removesuffix(IPV6_CLIENT))
        return f"{inet_ntop(AF_INET6, packed[:SITE_BYTES].ljust(16, bytes(1)))}/{SITE_BYTES * 8}"
    network, dot, _ = client.rpartition(".")
    return f"{network}.0/24" if dot else ""
