"""A queue from which clients are served in turn: where work is many small pieces, turns by number are fair enough."""

import asyncio
from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class ClientQueue(asyncio.Queue[tuple[str, T]], Generic[T]):
    """Holds pieces with the client that each is for; a client's own come out in the order in which they went in."""

    def _init(self, maxsize: int) -> None:
        self._clients: OrderedDict[str, deque[T]] = OrderedDict()

    def qsize(self) -> int:
        return sum(map(len, self._clients.values()))

    def empty(self) -> bool:
        return not self._clients

    def _put(self, item: tuple[str, T]) -> None:
        client, piece = item
        self._clients.setdefault(client, deque()).append(piece)

    def _get(self) -> tuple[str, T]:
        client, pieces = self._clients.popitem(last=False)
        piece = pieces.popleft()
        if pieces:
            self._clients[client] = pieces  # behind all others
        return client, piece
