"""A work queue: orders wait for one of some slots, by priority and, within it, by fairness between clients."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

from appliance.domain.clients import Clients
from appliance.domain.errors import Busy, Stopping
from appliance.domain.renditions import Priority
from appliance.workers.fairness import FairQueue, QueueTicket

S = TypeVar("S")
T = TypeVar("T")
Charge = Callable[[Clients, float], None]
"""Told of the seconds that a worker was used for these clients."""
_BACKGROUND_FACTOR = 16
"""How many times more orders that nobody watches may wait than views."""
_RETRY_AFTER_S = 2


class WorkQueue(Generic[S]):
    """Slots, and the tickets that wait for one: views before prewarming before pyramids, clients in turn within each.

    A slot is never kept free for a later ticket, and no job is interrupted: a new client waits until the first running
    job has ended. `spare` is an additional slot for views of clients without a running job. So while one client floods
    the queue, one other client at a time waits only until the spare is ready. `warm` says whether it is; if not, it
    prepares the spare, and calls its second argument when that is done.
    """

    def __init__(
        self,
        slots: list[S],
        max_waiting: int,
        *,
        what: str = "requests for other sizes",
        clock: Callable[[], float] = time.monotonic,
        spare: S | None = None,
        warm: Callable[[S, Callable[[], None]], bool] = lambda _spare, _told: True,
    ) -> None:
        self.slots = slots if spare is None else [*slots, spare]
        self._free = list(slots)
        self._max_waiting = max_waiting
        self._what = what
        self._spare = spare
        self._warm = warm
        self._queues = {priority: FairQueue(clock, self._fill_spare) for priority in Priority}
        self._ends: dict[S, Callable[[], None]] = {}
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def busy(self) -> int:
        """How many slots are in use."""
        return len(self._ends)

    @property
    def waiting(self) -> int:
        """How many tickets wait for a slot."""
        return sum(map(len, self._queues.values()))

    @property
    def remembered(self) -> int:
        """How many clients' use of time is remembered, over all priorities."""
        return sum(queue.remembered for queue in self._queues.values())

    async def acquire(self, ticket: QueueTicket) -> S:
        """A slot, once it is the ticket's turn. Raises Busy when too many wait, and Stopping."""
        if self._stopping:
            raise Stopping
        queue = self._queues[ticket.priority]
        if self._free:  # then no ticket waits: `release` looked through every queue
            self._idle.clear()
            slot = self._free.pop()
            self._ends[slot] = queue.start(ticket.clients.first)
            return slot
        if (spare := self._spare_for(ticket)) is not None:
            return spare
        self._make_room(ticket)
        ticket.granted = granted = _promised_slot()
        queue.add(ticket)
        self._fill_spare()
        try:
            return cast(S, await granted)
        except asyncio.CancelledError:
            if granted.cancelled():
                ticket.leave()
            elif granted.exception() is None:
                self.release(granted.result())
            raise

    def release(self, slot: S) -> None:
        """Give the slot to the next ticket."""
        self._ends.pop(slot)()
        if slot != self._spare and not any(self._grant(slot, queue.next()) for queue in self._queues.values()):
            self._free.append(slot)
        self._fill_spare()
        if not self._ends:
            self._idle.set()

    def _spare_for(self, ticket: QueueTicket) -> S | None:
        """The spare slot, however many wait: `_fill_spare` gave it to none of them, so none of them may have it."""
        views = self._queues[Priority.VIEW]
        if ticket.priority is not Priority.VIEW or (client := views.idle_client(ticket.clients)) is None:
            return None
        if (spare := self._ready_spare()) is not None:
            self._ends[spare] = views.start(client)
        return spare

    def _fill_spare(self) -> None:
        views = self._queues[Priority.VIEW]
        if len(views) and (spare := self._ready_spare()) is not None:
            self._grant(spare, views.next(idle=True))

    def _ready_spare(self) -> S | None:
        if self._spare is None or self._spare in self._ends or not self._warm(self._spare, self._fill_spare):
            return None
        return self._spare

    def _grant(self, slot: S, found: tuple[QueueTicket, Callable[[], None]] | None) -> bool:
        if found is None:
            return False
        ticket, self._ends[slot] = found
        assert ticket.granted is not None
        ticket.granted.set_result(slot)
        return True

    def promote(self, ticket: QueueTicket, priority: Priority) -> None:
        """Raise the priority of a ticket. A lower priority changes nothing."""
        if priority >= ticket.priority:
            return
        if ticket.waits:
            ticket.leave()
            self._queues[priority].add(ticket)
        ticket.priority = priority
        self._fill_spare()

    async def drain(self, grace_s: float) -> None:
        """Refuse new and waiting tickets, and give running orders `grace_s` to finish."""
        self._stopping = True
        for queue in self._queues.values():
            for ticket in queue.clear():
                ticket.refuse(Stopping())
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        except TimeoutError:
            return

    def _make_room(self, ticket: QueueTicket) -> None:
        """In a full queue, refuse a ticket of the client that fills it. Raises Busy when that is this one."""
        limit, waiting = self._room(ticket.priority)
        if waiting < limit:
            return
        queue = self._queues[ticket.priority]
        busy = Busy(
            f"{waiting:,} {self._what} are already waiting, which is the limit. Try again in a moment.",
            limit=limit,
            actual=waiting,
            retry_after_s=_RETRY_AFTER_S,
        )
        if (last := queue.displaced_by(ticket.clients)) is None:
            raise busy
        last.leave()
        last.refuse(busy)

    def _room(self, priority: Priority) -> tuple[int, int]:
        """How many may wait, and how many do. Views are counted apart from all others."""
        views = len(self._queues[Priority.VIEW])
        if priority is Priority.VIEW:
            return self._max_waiting, views
        return self._max_waiting * _BACKGROUND_FACTOR, self.waiting - views


def _promised_slot() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


class Lease(Generic[T]):
    """A slot for the time of an `async with`, which waits for its turn. Used once, as `async with lease as worker`.

    `made_of` makes what the block gets of the slot, and `charge` is called with the clients and the seconds for which
    they had it. Entering raises Busy when too many wait already, and Stopping.
    """

    def __init__(
        self,
        queue: WorkQueue[Any],
        priority: Priority,
        clients: Clients,
        made_of: Callable[[Any], T],
        charge: Charge | None = None,
    ) -> None:
        self._queue = queue
        self._charge = charge
        self._since_s = 0.0
        self._ticket = QueueTicket(priority, clients)
        self._made_of = made_of
        self._slot: Any | None = None

    @property
    def priority(self) -> Priority:
        return self._ticket.priority

    def promote(self, priority: Priority) -> None:
        """Raise the priority. A lower one changes nothing."""
        self._queue.promote(self._ticket, priority)

    async def __aenter__(self) -> T:
        self._slot = await self._queue.acquire(self._ticket)
        self._since_s = time.monotonic()
        return self._made_of(self._slot)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._slot is not None:
            self._queue.release(self._slot)
            self._slot = None
            if self._charge is not None:
                self._charge(self._ticket.clients, time.monotonic() - self._since_s)
