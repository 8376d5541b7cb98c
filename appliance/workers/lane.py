"""A queue before some slots: who goes first, and how many may wait."""

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

from appliance.errors import Busy, Stopping
from appliance.renditions import Priority
from appliance.workers.slot import Slot

T = TypeVar("T")
_BACKGROUND_FACTOR = 16
"""Work that nobody looks at may wait in longer queues, but not in endless ones."""
_RETRY_AFTER_S = 2


class Lane:
    """Slots and those who wait for one: views before prewarming before pyramids, and first come, first served."""

    def __init__(self, slots: list[Slot], max_waiting: int) -> None:
        self.slots = slots
        self._free = list(slots)
        self._max_waiting = max_waiting
        self._heap: list[tuple[Priority, int, _Ticket]] = []
        self._waiting: Counter[Priority] = Counter()
        self._arrivals = itertools.count()
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def busy(self) -> int:
        """How many slots have an order."""
        return len(self.slots) - len(self._free)

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return self._waiting.total()

    async def take(self, ticket: "_Ticket") -> Slot:
        """A slot for the ticket's owner alone. Raises Busy or Stopping."""
        if self._stopping:
            raise Stopping("The server is restarting; try again in a few seconds.", retry_after_s=_RETRY_AFTER_S)
        if self._free:  # nobody who still waits stands before a free slot: `give_back` looked through the whole queue
            self._idle.clear()
            return self._free.pop()
        self._refuse_when_full(ticket.priority)
        ticket.granted = granted = _promised_slot()
        self._waiting[ticket.priority] += 1
        self._push(ticket)
        try:
            return await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                self._waiting[ticket.priority] -= 1
            elif granted.exception() is None:
                self.give_back(granted.result())
            raise

    def give_back(self, slot: Slot) -> None:
        """Hands the slot to the next who waits."""
        while self._heap:
            priority, _, ticket = heapq.heappop(self._heap)
            if ticket.granted is None or ticket.granted.done() or priority != ticket.priority:
                continue  # it went away, or hurried and stands further ahead
            self._waiting[priority] -= 1
            ticket.granted.set_result(slot)
            return
        self._free.append(slot)
        if not self.busy:
            self._idle.set()

    def hurry(self, ticket: "_Ticket", priority: Priority) -> None:
        """Moves one who still waits ahead to `priority`."""
        if priority >= ticket.priority:
            return
        if ticket.granted is not None and not ticket.granted.done():
            self._waiting[ticket.priority] -= 1
            self._waiting[priority] += 1
            ticket.priority = priority
            self._push(ticket)
        ticket.priority = priority

    async def drain(self, grace_s: float) -> None:
        """Takes no more, sends away who waits, and gives running orders `grace_s` to finish."""
        self._stopping = True
        for _, _, ticket in self._heap:
            if ticket.granted is not None and not ticket.granted.done():
                self._waiting[ticket.priority] -= 1
                ticket.granted.set_exception(Stopping("The server is restarting.", retry_after_s=_RETRY_AFTER_S))
        self._heap.clear()
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        except TimeoutError:
            return

    def _push(self, ticket: "_Ticket") -> None:
        heapq.heappush(self._heap, (ticket.priority, next(self._arrivals), ticket))

    def _refuse_when_full(self, priority: Priority) -> None:
        if priority is Priority.VIEW:
            limit, waiting = self._max_waiting, self._waiting[priority]
        else:
            limit, waiting = self._max_waiting * _BACKGROUND_FACTOR, self.waiting - self._waiting[Priority.VIEW]
        if waiting >= limit:
            raise Busy(
                f"{waiting:,} requests for other sizes are waiting already, as many as this host lets wait.",
                limit=limit,
                actual=waiting,
                retry_after_s=_RETRY_AFTER_S,
            )


def _promised_slot() -> asyncio.Future[Slot]:
    return asyncio.get_running_loop().create_future()


class _Ticket:
    """Somebody's place in the queue."""

    def __init__(self, priority: Priority) -> None:
        self.priority = priority
        self.granted: asyncio.Future[Slot] | None = None


class Waiting(Generic[T]):
    """A place in the queue, used once, as `async with waiting as worker`.

    Entering raises Busy when too many wait already, and Stopping when the server is about to end.
    """

    def __init__(self, lane: Lane, priority: Priority, made_of: Callable[[Slot], T]) -> None:
        self._lane = lane
        self._ticket = _Ticket(priority)
        self._made_of = made_of
        self._slot: Slot | None = None

    @property
    def priority(self) -> Priority:
        return self._ticket.priority

    def hurry(self, priority: Priority) -> None:
        """Raise the priority, if it still waits; a lower one changes nothing."""
        self._lane.hurry(self._ticket, priority)

    async def __aenter__(self) -> T:
        self._slot = await self._lane.take(self._ticket)
        return self._made_of(self._slot)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._slot is not None:
            self._lane.give_back(self._slot)
            self._slot = None
