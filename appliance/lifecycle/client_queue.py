"""A queue that serves clients in turn: for many small pieces of work, one piece a turn is fair enough."""

import asyncio
from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class ClientQueue(asyncio.Queue[tuple[str, T]], Generic[T]):
    """Holds items, each with its client; a client's own come out in the order in which they were put."""

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
