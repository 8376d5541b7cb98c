"""Limiting how many requests start in one turn of the event loop, of one client and of all together.

Without this, thousands of requests that arrive together would all take their first step in the same turn, and every
other client would wait for all of them: each step of its own takes a turn.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable

MAX_STARTS_PER_TURN = 4
"""Of one client. A turn then takes some milliseconds, however many connections a client has."""
MAX_READS_PER_TURN = 16
"""Of all clients together, for requests that change nothing: most are answered in a tenth of a millisecond."""
MAX_CHANGES_PER_TURN = 4
"""The same for uploads and changes, which wait in a queue of their own, so that views never stand behind them. Refusing
one takes half a millisecond, and an upload that is let in needs some forty turns."""

Waiting = OrderedDict[str, deque[asyncio.Future[None]]]
"""Requests by their client; clients go in turns."""


def never() -> bool:
    """For a request that waits behind those that came before it."""
    return False


class StartLimiter:
    """Lets a few requests of each client start in each turn; clients go in turns. Used from the event loop only."""

    def __init__(self, max_per_turn: int) -> None:
        self._max_per_turn = max_per_turn
        self._started: Counter[str] = Counter()
        self._all_started = 0
        self._asked = 0
        self._first: Waiting = OrderedDict()
        self._waiting: Waiting = OrderedDict()

    @property
    def clients(self) -> int:
        """How many clients it remembers: those with requests that wait or have started in this turn."""
        return len(self._started.keys() | self._first.keys() | self._waiting.keys())

    async def wait_for_turn(self, client: str, goes_first: Callable[[], bool] = never) -> None:
        """Return when a request of the client may start: at once unless too many started in this turn.

        `goes_first`: whether it starts before those that wait. That may take work, so few are asked in a turn.
        """
        if client not in self._waiting and client not in self._first and self._has_room(client):
            self._count_start(client)
            return
        turn = asyncio.get_running_loop().create_future()
        waiting = self._first if self._may_ask() and goes_first() else self._waiting
        waiting.setdefault(client, deque()).append(turn)
        await turn

    def _may_ask(self) -> bool:
        self._asked += 1
        return self._asked <= self._max_per_turn

    def _has_room(self, client: str) -> bool:
        return self._all_started < self._max_per_turn and self._started.get(client, 0) < MAX_STARTS_PER_TURN

    def _count_start(self, client: str) -> None:
        if not self._all_started:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._started[client] += 1
        self._all_started += 1

    def _next_turn(self) -> None:
        self._started.clear()
        self._all_started = self._asked = 0
        self._start_clients(self._first, self._max_per_turn - 1)  # so that the others are never kept out
        self._start_clients(self._waiting, self._max_per_turn)

    def _start_clients(self, waiting: Waiting, limit: int) -> None:
        for _ in range(len(waiting)):
            if self._all_started >= limit:
                return
            client, requests = waiting.popitem(last=False)
            self._start_some(client, requests, limit)
            if requests:
                waiting[client] = requests  # behind all others

    def _start_some(self, client: str, requests: deque[asyncio.Future[None]], limit: int) -> None:
        while requests and self._has_room(client) and self._all_started < limit:
            turn = requests.popleft()
            if not turn.done():  # else its client has gone
                turn.set_result(None)
                self._count_start(client)
