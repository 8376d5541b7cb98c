"""StartLimiter: how many requests of one client begin in one turn of the event loop.

Thousands of requests that arrive together would else all take their first step in the same turn, and every other client
would wait until each of them has.
"""

import asyncio
from collections import Counter, deque

MAX_STARTS_PER_TURN = 4
"""A turn then takes some milliseconds, however many connections a client has."""


class StartLimiter:
    """Touched by the event loop's thread alone."""

    def __init__(self) -> None:
        self._begun: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def wait_for_turn(self, client: str) -> None:
        """Return when a request of the client may begin: at once unless others of it began in this turn."""
        if client not in self._waiting and self._begun.get(client, 0) < MAX_STARTS_PER_TURN:
            self._begin(client)
            return
        start = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(start)
        await start

    def _begin(self, client: str) -> None:
        if not self._begun:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._begun[client] += 1

    def _next_turn(self) -> None:
        self._begun.clear()
        for client, waiting in list(self._waiting.items()):
            while waiting and self._begun.get(client, 0) < MAX_STARTS_PER_TURN:
                start = waiting.popleft()
                if not start.done():  # its client is still there
                    start.set_result(None)
                    self._begin(client)
            if not waiting:
                del self._waiting[client]
