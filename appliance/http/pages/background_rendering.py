"""Rendering of answers about many images, such as albums: on a thread of its own, and cached while nothing changes.

An album of 500 images takes tens of milliseconds of a core; on the event loop it would block every other request.
Clients take turns, as they do for the workers.
"""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from appliance.domain.clients import Clients
from appliance.domain.renditions import Priority
from appliance.shared.client_limiter import ClientLimiter
from appliance.shared.single_flight import Flight, SingleFlight
from appliance.shared.threads import Threads
from appliance.workers.lease import Lease
from appliance.workers.work_queue import WorkQueue

MAX_CACHED_BYTES = 32_000_000
"""About 40 albums of 500 images, each as a page and as JSON."""
MAX_CACHED_ANSWERS = 10_000
MAX_WAITING = 128
"""One client may have a quarter of these waiting: about two seconds of work if each album has 500 images."""
_RETRY_AFTER_S, _GRACE_S = 2, 10.0

Result = TypeVar("Result")


class BackgroundRenderer:
    """Renders one answer at a time: more threads would only take the interpreter's lock from the event loop.

    `answers` are those that are being rendered or wait for their turn.
    """

    def __init__(self, max_cached_bytes: int = MAX_CACHED_BYTES, max_waiting: int = MAX_WAITING) -> None:
        self.max_waiting = max_waiting
        self._threads = Threads("rendering", 1)
        self._queue = WorkQueue([0], sys.maxsize)  # bounded by each client's share, not by the queue
        self._limiter = ClientLimiter("requests for albums are waiting", _RETRY_AFTER_S)
        self._max_cached_bytes = max_cached_bytes
        self._cached_bytes = 0
        self._cache: OrderedDict[Hashable, bytes] = OrderedDict()
        self.answers: SingleFlight[Hashable, bytes] = SingleFlight()

    @property
    def waiting(self) -> int:
        """How many answers wait for their turn."""
        return self._queue.waiting

    @contextmanager
    def reserve(self, client: str) -> Iterator[None]:
        """Hold one of the client's places. Enter before anything is changed; raises Busy when its share is full."""
        self._take_place(client)
        try:
            yield
        finally:
            self._limiter.give_back(client)

    async def run_in_turn(self, client: str, make: Callable[[], Result]) -> Result:
        """The result of `make`, called in the client's turn; raises what it raises.

        Never refused, because a change that was made must be answered: callers hold a place, or are bounded elsewhere.
        """
        return await asyncio.shield(asyncio.ensure_future(self._in_turn(Clients(client), make)))

    async def cached(self, client: str, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The answer for `key`, made once for all who ask for it; the least recently used ones are dropped.

        Raises Busy as `reserve` does, and what `make` raises.
        """
        if (found := self._cache.get(key)) is not None:
            self._cache.move_to_end(key)
            return found
        if key not in self.answers:
            self._take_place(client)
        return await self.answers.run(key, lambda flight: self._make(flight, client, key, make), Clients(client))

    async def close(self) -> None:
        """Wait for what is being rendered."""
        await self._queue.drain(_GRACE_S)
        await self._threads.close()

    async def _make(self, flight: Flight, client: str, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Make the answer in the place that `client` took, in the turn of any client that waits for it."""
        try:
            answer = await self._in_turn(flight.clients, make)
        finally:
            self._limiter.give_back(client)
        self._store(key, answer)
        return answer

    def _take_place(self, client: str) -> None:
        self._limiter.check(client, self.max_waiting)
        self._limiter.take(client)

    async def _in_turn(self, clients: Clients, make: Callable[[], Result]) -> Result:
        async with Lease(self._queue, Priority.VIEW, clients, lambda slot: slot):
            return await self._threads.run(make)

    def _store(self, key: Hashable, answer: bytes) -> None:
        self._cache[key] = answer
        self._cached_bytes += len(answer)
        while self._cached_bytes > self._max_cached_bytes or len(self._cache) > MAX_CACHED_ANSWERS:
            self._cached_bytes -= len(self._cache.popitem(last=False)[1])
