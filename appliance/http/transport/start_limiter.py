"""Limiting how many requests start in one turn of the event loop, of one client and of all together.

Without this, thousands of requests that arrive together would all take their first step in the same turn, and every
other client would wait for all of them: each step of its own takes a turn.
"""

import asyncio
from collections import Counter, OrderedDict, deque

MAX_STARTS_PER_TURN = 4
"""Of one client. A turn then takes some milliseconds, however many connections a client has."""
MAX_ALL_STARTS_PER_TURN = 16
"""Of all clients together. To refuse an upload takes half a millisecond, so a turn takes less than ten."""


class StartLimiter:
    """Lets a few requests of each client start in each turn; clients go in turns. Used from the event loop only."""

    def __init__(self) -> None:
        self._started: Counter[str] = Counter()
        self._all_started = 0
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def clients(self) -> int:
        """How many clients it remembers: those with requests that wait or have started in this turn."""
        return len(self._started.keys() | self._waiting.keys())

    async def wait_for_turn(self, client: str) -> None:
        """Return when a request of the client may start: at once unless too many started in this turn."""
        if client not in self._waiting and self._has_room(client):
            self._count_start(client)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        await turn

    def _has_room(self, client: str) -> bool:
        return self._all_started < MAX_ALL_STARTS_PER_TURN and self._started.get(client, 0) < MAX_STARTS_PER_TURN

    def _count_start(self, client: str) -> None:
        if not self._all_started:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._started[client] += 1
        self._all_started += 1

    def _next_turn(self) -> None:
        self._started.clear()
        self._all_started = 0
        for _ in range(len(self._waiting)):
            if self._all_started >= MAX_ALL_STARTS_PER_TURN:
                return
            client, waiting = self._waiting.popitem(last=False)
            self._start_some(client, waiting)
            if waiting:
                self._waiting[client] = waiting  # behind all others

    def _start_some(self, client: str, waiting: deque[asyncio.Future[None]]) -> None:
        while waiting and self._has_room(client):
            turn = waiting.popleft()
            if not turn.done():  # else its client has gone
                turn.set_result(None)
                self._count_start(client)
