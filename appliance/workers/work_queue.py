"""A work queue: orders wait for one of some slots, by priority and, within it, by fairness between clients."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from appliance.domain.errors import Busy, Stopping
from appliance.domain.renditions import Priority
from appliance.workers.fairness import FairQueue, QueueTicket, SlotUse

S = TypeVar("S")
_BACKGROUND_FACTOR = 16
"""How many times more orders that nobody watches may wait than views."""
_RETRY_AFTER_S = 2
_NEWCOMERS_FACTOR = 2
_LEARNING = 0.1
"""Weight of the last job in the mean time that jobs take."""
_LONGEST_COUNTED_S = 1.5
"""In that mean. A job that ends at its deadline says little of the next ones."""


@dataclass(frozen=True, slots=True, eq=False)
class GrantedSlot(Generic[S]):
    """A ticket's place at a slot, which it was granted for a job."""

    slot: S
    job: SlotUse
    is_short: bool


class WorkQueue(Generic[S]):
    """Slots, and the tickets that wait for one: views before prewarming before pyramids, clients in turn within each.

    A slot is never kept free for a later ticket, and no job is interrupted: a new client waits until the first running
    job has ended. `spare` is an additional slot for views of clients without a running job. So while one client floods
    the queue, one other client at a time waits only until the spare is ready. `warm` says whether it is; if not, it
    prepares the spare, and calls its second argument when that is done.

    With `hands_ahead` a slot whose running job is short is granted to a second short view too, which is done next: so
    the slot never waits for its next job. A new client then waits for two short jobs, not for one.

    The host has too much to do when a view of a new client would wait for more than `max_wait_s`, by how many clients
    wait and how long jobs take at the time. Then further views of clients that have one waiting are refused, and from
    twice that long on all views. `on_refusal` is called for each.
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
        hands_ahead: bool = False,
        max_wait_s: float = math.inf,
        on_refusal: Callable[[], None] = lambda: None,
    ) -> None:
        self.slots = slots if spare is None else [*slots, spare]
        self._free = list(slots)
        self._workers = max(1, len(slots))
        self._max_waiting = max_waiting
        self._what = what
        self._spare = spare
        self._warm = warm
        self._queues = {priority: FairQueue(clock, self._fill_spare) for priority in Priority}
        self._hands_ahead = hands_ahead
        self._max_wait_s = max_wait_s
        self._on_refusal = on_refusal
        self._mean_s = 0.0
        self._running: dict[S, GrantedSlot[S]] = {}
        self._ahead: dict[S, GrantedSlot[S]] = {}
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def busy(self) -> int:
        """How many slots are in use."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many tickets wait for a slot, or at one."""
        return sum(map(len, self._queues.values())) + len(self._ahead)

    @property
    def remembered(self) -> int:
        """How many clients' use of time is remembered, over all priorities."""
        return sum(queue.remembered for queue in self._queues.values())

    async def acquire(self, ticket: QueueTicket) -> GrantedSlot[S]:
        """A place at a slot, once it is the ticket's turn. Raises Busy when too many wait, and Stopping."""
        if self._stopping:
            raise Stopping
        queue = self._queues[ticket.priority]
        if self._free:  # then no ticket waits: `release` looked through every queue
            self._idle.clear()
            return self._start(self._free.pop(), ticket, queue.start(ticket.clients.first))
        if (spare := self._spare_for(ticket)) is not None:
            return spare
        self._refuse_overload(ticket)
        self._make_room(ticket)
        ticket.granted = granted = _promised_slot()
        queue.add(ticket)
        self._fill_spare()
        self._hand_ahead()
        try:
            return cast(GrantedSlot[S], await granted)
        except asyncio.CancelledError:
            if granted.cancelled():
                ticket.leave()
            elif granted.exception() is None:
                self.release(granted.result())
            raise

    def release(self, place: GrantedSlot[S]) -> float:
        """Give the slot to the next ticket; the seconds for which the place was in use."""
        slot, job = place.slot, place.job
        if self._ahead.get(slot) is place:  # it had nothing left to do when its turn came
            del self._ahead[slot]
            job.queue.restart(job)
            used_s = job.queue.end(job)
        else:
            del self._running[slot]
            used_s = job.queue.end(job)
            self._mean_s += (min(used_s, _LONGEST_COUNTED_S) - self._mean_s) * _LEARNING
            self._give(slot)
        self._fill_spare()
        self._hand_ahead()
        if not self._running:
            self._idle.set()
        return used_s

    def _give(self, slot: S) -> None:
        """Let the job ahead at a slot begin, or else grant the slot to the ticket whose turn it is."""
        if (ahead := self._ahead.pop(slot, None)) is not None:
            ahead.job.queue.restart(ahead.job)
            self._running[slot] = ahead
        elif slot != self._spare and not any(self._grant(slot, queue.next()) for queue in self._queues.values()):
            self._free.append(slot)

    def _hand_ahead(self) -> None:
        """Grant second places at the slots whose running job is short."""
        if not self._hands_ahead:
            return
        for slot, running in self._running.items():
            if running.is_short and slot != self._spare and slot not in self._ahead:
                found = self._queues[Priority.VIEW].next(short=True)
                if found is None:
                    return
                ticket, job = found
                self._ahead[slot] = GrantedSlot(slot, job, is_short=True)
                _tell(ticket, self._ahead[slot])

    def _start(self, slot: S, ticket: QueueTicket, job: SlotUse) -> GrantedSlot[S]:
        self._running[slot] = place = GrantedSlot(slot, job, ticket.is_short)
        return place

    def _spare_for(self, ticket: QueueTicket) -> GrantedSlot[S] | None:
        """A place at the spare, however many wait: `_fill_spare` gave it to none of them, so none may have it."""
        views = self._queues[Priority.VIEW]
        if ticket.priority is not Priority.VIEW or (client := views.idle_client(ticket.clients)) is None:
            return None
        spare = self._ready_spare()
        return None if spare is None else self._start(spare, ticket, views.start(client))

    def _fill_spare(self) -> None:
        views = self._queues[Priority.VIEW]
        if len(views) and (spare := self._ready_spare()) is not None:
            self._grant(spare, views.next(idle=True))

    def _ready_spare(self) -> S | None:
        if self._spare is None or self._spare in self._running or not self._warm(self._spare, self._fill_spare):
            return None
        return self._spare

    def _grant(self, slot: S, found: tuple[QueueTicket, SlotUse] | None) -> bool:
        if found is None:
            return False
        ticket, job = found
        _tell(ticket, self._start(slot, ticket, job))
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
        self._hand_ahead()

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

    @property
    def wait_s(self) -> float:
        """How long a view of a new client would wait: each of those that wait has one turn before it.

        Those who wait for the same job have one turn together.
        """
        return self._queues[Priority.VIEW].turns_waiting * self._mean_s / self._workers

    def require_room(self, ticket: QueueTicket) -> None:
        """Raises Busy for a view that would wait for too long."""
        if not self._free and (self._spare is None or self._spare in self._running):
            self._refuse_overload(ticket)

    def _refuse_overload(self, ticket: QueueTicket) -> None:
        if ticket.priority is not Priority.VIEW or self._max_wait_s == math.inf:
            return
        wait_s = self.wait_s
        has_waiting = self._queues[Priority.VIEW].has_waiting(ticket.clients)
        limit_s = self._max_wait_s * (1 if has_waiting else _NEWCOMERS_FACTOR)
        if wait_s > limit_s:
            self._on_refusal()
            raise Busy(
                f"More {self._what} are waiting than this host can answer in {limit_s:g} seconds. "
                "Try again in a moment.",
                retry_after_s=math.ceil(wait_s - limit_s) + _RETRY_AFTER_S,
            )

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
        views = len(self._queues[Priority.VIEW]) + len(self._ahead)
        if priority is Priority.VIEW:
            return self._max_waiting, views
        return self._max_waiting * _BACKGROUND_FACTOR, self.waiting - views


def _promised_slot() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _tell(ticket: QueueTicket, place: GrantedSlot[Any]) -> None:
    assert ticket.granted is not None
    ticket.granted.set_result(place)
