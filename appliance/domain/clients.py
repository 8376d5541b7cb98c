"""Clients: who makes a request, and who waits for the same piece of work, which is done once for all of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from appliance.domain.access_keys import AccessKey, Scope
from appliance.domain.invites import Invite

HOST = ""
"""The id of this host itself, as the client of work that its jobs do ahead of time."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who makes a request: the unit by which queues and limits share the host.

    The `id` of somebody unknown is an IPv4 address, or the 64-bit prefix of an IPv6 address, which one connection
    usually has. Anyone who has an access key, or was signed in as a `user` by a trusted proxy, is the same client
    from anywhere; `address_id` is the id that its address alone would have. A guest of an album has its `invite`, and
    `album_key` is the access key that the album was created with, which lets the guest do nothing but upload.
    `proof` is a solution that the request brings of a challenge, right or wrong; `has_proven` says that it was right,
    and is spent.
    """

    id: str
    address_id: str | None = None
    access_key: AccessKey | None = None
    user: str | None = None
    invite: Invite | None = None
    album_key: AccessKey | None = None
    proof: str | None = None
    has_proven: bool = False

    @property
    def address(self) -> str:
        """The id that somebody unknown has at the same address."""
        return self.id if self.address_id is None else self.address_id

    @property
    def charged_key(self) -> AccessKey | None:
        """The key that the client's uploads count for: its own if that may upload, or else that of the album."""
        own = self.access_key
        return own if self.album_key is None or (own is not None and Scope.UPLOAD in own.scopes) else self.album_key

    @property
    def accounts(self) -> tuple[str, ...]:
        """The ids whose limits an upload counts against: the client's own, and that of all guests of its invite."""
        return (self.id,) if self.invite is None else (self.id, f"invite:{self.invite.id}")


THIS_HOST = Client(HOST)


class Clients:
    """A growing set of clients, by their ids. Queues follow it, so that one who joins late speeds up waiting work."""

    def __init__(self, *clients: str) -> None:
        self._clients = dict.fromkeys(clients)
        self._followers: list[Callable[[str], None]] = []

    def __iter__(self) -> Iterator[str]:
        """In the order in which they joined."""
        return iter(self._clients)

    def __len__(self) -> int:
        return len(self._clients)

    @property
    def first(self) -> str:
        """The client who joined first; this host itself if none has."""
        return next(iter(self._clients), HOST)

    def join(self, client: str) -> None:
        if client not in self._clients:
            self._clients[client] = None
            for follower in self._followers:
                follower(client)

    def include(self, others: "Clients") -> None:
        """Let the others join, and all clients who join them later."""
        if others is not self:
            others.follow(self.join)

    def follow(self, follower: Callable[[str], None]) -> None:
        """Call the follower for each client, now and when others join."""
        self._followers.append(follower)
        for client in tuple(self._clients):
            follower(client)
