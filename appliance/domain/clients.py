"""Clients: who asks for something, and those who wait for the same piece of work, which is done once for all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

HOST = ""
"""The key of the client that is this host itself: what its jobs make ahead of time."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks for something, as this host shares itself out.

    `key` is an address, or the 64 bits of IPv6 that one line comes with. Queues and limits go by it.
    """

    key: str


THIS_HOST = Client(HOST)


class Clients:
    """A growing set of client keys. Queues follow it, so that a client who joins late hurries work that still waits."""

    def __init__(self, *clients: str) -> None:
        self._clients = dict.fromkeys(clients)
        self._followers: list[Callable[[str], None]] = []

    def __iter__(self) -> Iterator[str]:
        """In the order in which they came."""
        return iter(self._clients)

    def __len__(self) -> int:
        return len(self._clients)

    @property
    def first(self) -> str:
        """The client who asked first; this host itself where nobody did."""
        return next(iter(self._clients), HOST)

    def join(self, client: str) -> None:
        if client not in self._clients:
            self._clients[client] = None
            for follower in self._followers:
                follower(client)

    def include(self, others: "Clients") -> None:
        """Let the others join, and everyone who joins them later."""
        if others is not self:
            others.follow(self.join)

    def follow(self, follower: Callable[[str], None]) -> None:
        """Tell the follower of every client, those who are here and those who come."""
        self._followers.append(follower)
        for client in tuple(self._clients):
            follower(client)
