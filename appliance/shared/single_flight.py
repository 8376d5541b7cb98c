"""Single flight: callers who ask for the same result while it is being produced share one run."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from appliance.domain.clients import Clients
from appliance.domain.errors import Stopping

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True, eq=False)
class Flight:
    """One run, as its work sees it: which clients wait for it, and whether later callers still join it."""

    clients: Clients = field(default_factory=Clients)
    is_current: bool = True


Work = Callable[[Flight], Coroutine[Any, Any, V]]


class SingleFlight(Generic[K, V]):
    """Runs work once per key, however many callers ask for it.

    A run outlives its callers, because its result is cached for the next one: a cancelled caller ends nothing. An
    error reaches every caller. Used by the event loop's thread alone.
    """

    def __init__(self) -> None:
        self._flights: dict[K, tuple[Flight, asyncio.Task[V]]] = {}
        self._tasks: set[asyncio.Task[V]] = set()
        self._is_closed = False

    def __len__(self) -> int:
        """How many keys have a run."""
        return len(self._flights)

    @property
    def flights(self) -> list[Flight]:
        """The runs that later callers still join."""
        return [flight for flight, _ in self._flights.values()]

    def __contains__(self, key: K) -> bool:
        return self._find(key) is not None

    async def run(self, key: K, work: Work[V], clients: Clients | None = None) -> V:
        """The result of the key's run, which starts with `work` if there is none; `clients` join it.

        Raises what the run raises, and Stopping when `close` ended it.
        """
        task = self.start(key, work, clients)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled() and not _is_caller_cancelled():
                raise Stopping from None
            raise

    def start(self, key: K, work: Work[V], clients: Clients | None = None) -> asyncio.Task[V]:
        """The same without waiting. Others may wait for the task too, so don't cancel it. Raises Stopping."""
        if self._is_closed:
            raise Stopping
        flight, task = self._find(key) or self._begin(key, work)
        if clients is not None:
            flight.clients.include(clients)
        return task

    def join(self, key: K, clients: Clients) -> asyncio.Task[V] | None:
        """The key's run, which the clients join; None when there is none."""
        found = self._find(key)
        if found is None:
            return None
        flight, task = found
        flight.clients.include(clients)
        return task

    def forget(self, key: K) -> None:
        """Have later callers start a new run. Those of the present one get its result."""
        found = self._flights.pop(key, None)
        if found is not None:
            found[0].is_current = False

    async def close(self) -> None:
        """End all runs, and start no more."""
        self._is_closed = True
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _find(self, key: K) -> tuple[Flight, asyncio.Task[V]] | None:
        """The key's run, unless it has ended."""
        found = self._flights.get(key)
        return None if found is None or found[1].done() else found

    def _begin(self, key: K, work: Work[V]) -> tuple[Flight, asyncio.Task[V]]:
        flight = Flight()
        task = asyncio.create_task(work(flight))
        self._flights[key] = flight, task
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._end(key, task))
        return flight, task

    def _end(self, key: K, task: asyncio.Task[V]) -> None:
        self._tasks.discard(task)
        found = self._flights.get(key)
        if found is not None and found[1] is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # seen, though every caller may be gone


def _is_caller_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
