"""Limiting how many requests of one client start in one turn of the event loop.

Without this, thousands of requests that arrive together would all take their first step in the same turn, and every
other client would wait for all of them.
"""

import asyncio
from collections import Counter, deque

MAX_STARTS_PER_TURN = 4
"""A turn then takes some milliseconds, however many connections a client has."""


class StartLimiter:
    """Lets a few requests of each client start in each turn. Used from the event loop only."""

    def __init__(self) -> None:
        self._started: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def clients(self) -> int:
        """How many clients it remembers: those with requests that wait or have started in this turn."""
        return len(self._started.keys() | self._waiting.keys())

    async def wait_for_turn(self, client: str) -> None:
        """Return when a request of the client may start: at once unless others of it started in this turn."""
        if client not in self._waiting and self._started.get(client, 0) < MAX_STARTS_PER_TURN:
            self._count_start(client)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        await turn

    def _count_start(self, client: str) -> None:
        if not self._started:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._started[client] += 1

    def _next_turn(self) -> None:
        self._started.clear()
        for client, waiting in list(self._waiting.items()):
            while waiting and self._started.get(client, 0) < MAX_STARTS_PER_TURN:
                turn = waiting.popleft()
                if not turn.done():  # else its client has gone
                    turn.set_result(None)
                    self._count_start(client)
            if not waiting:
                del self._waiting[client]
