"""Answers about many pictures at once, such as albums: made on a thread of their own, and kept while nothing changes.

An album of 500 takes tens of milliseconds of a core, in which the event loop would answer nobody else. Clients take
turns before the thread, as before the workers.
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
from appliance.workers.work_queue import Lease, WorkQueue

MAX_BYTES = 32_000_000
"""Of what is kept: some 40 albums of 500, each as a page and as JSON."""
MAX_ANSWERS = 10_000
"""That are kept, however short they are."""
PLACES = 128
"""A quarter of these is what one client may have waiting: some two seconds of work, if each is about 500 pictures."""
_RETRY_AFTER_S, _GRACE_S = 2, 10.0

Result = TypeVar("Result")


class Rendering:
    """Makes one answer at a time: more threads would only take the interpreter's lock from the loop more often."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._threads = Threads("rendering", 1)
        self._lane = WorkQueue([0], sys.maxsize)  # the shares bound what waits
        self._limiter = ClientLimiter("requests for albums are waiting", _RETRY_AFTER_S)
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._answers: SingleFlight[Hashable, bytes] = SingleFlight()

    @contextmanager
    def place(self, client: str) -> Iterator[None]:
        """One of the client's places, to be taken before anything is done. Raises Busy when it holds its share."""
        self._take(client)
        try:
            yield
        finally:
            self._limiter.give_back(client)

    async def run(self, client: str, make: Callable[[], Result]) -> Result:
        """What `make` gives, in the client's turn; what it raises is raised here.

        It is never refused, so that what was done can be told. Callers hold a place, or are bounded by others.
        """
        return await asyncio.shield(asyncio.ensure_future(self._in_turn(Clients(client), make)))

    async def kept(self, client: str, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Once for all that ask for the same `key`; the longest unused answer makes room for new ones.

        Raises Busy as `place` does, and what `make` raises.
        """
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return found
        if key not in self._answers:
            self._take(client)
        return await self._answers.run(key, lambda flight: self._make(flight, client, key, make), Clients(client))

    async def close(self) -> None:
        """Wait for what runs."""
        await self._lane.drain(_GRACE_S)
        await self._threads.close()

    async def _make(self, flight: Flight, client: str, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The answer, made in the place that the client took, in the turn of anybody who waits for it."""
        try:
            answer = await self._in_turn(flight.clients, make)
        finally:
            self._limiter.give_back(client)
        self._keep(key, answer)
        return answer

    def _take(self, client: str) -> None:
        self._limiter.check(client, PLACES)
        self._limiter.take(client)

    async def _in_turn(self, clients: Clients, make: Callable[[], Result]) -> Result:
        async with Lease(self._lane, Priority.VIEW, clients, lambda slot: slot):
            return await self._threads.run(make)

    def _keep(self, key: Hashable, answer: bytes) -> None:
        self._kept[key] = answer
        self._bytes += len(answer)
        while self._bytes > self._max_bytes or len(self._kept) > MAX_ANSWERS:
            self._bytes -= len(self._kept.popitem(last=False)[1])
