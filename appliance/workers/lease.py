"""Leases: a slot of a work queue for the time of a block."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

from appliance.domain.clients import Clients
from appliance.domain.renditions import Priority
from appliance.workers.fairness import QueueTicket
from appliance.workers.work_queue import GrantedSlot, WorkQueue

T = TypeVar("T")
Charge = Callable[[Clients, float], None]
"""Receives the seconds that a worker was used for these clients."""


class Lease(Generic[T]):
    """A slot for the time of an `async with`, which waits for its turn. Used once, as `async with lease as worker`.

    `made_of` makes what the block gets of the slot, and `charge` is called with the clients and the seconds for which
    they had it. `is_short` says that it will be for little time. Entering raises Busy when too many wait already, and
    Stopping.
    """

    def __init__(
        self,
        queue: WorkQueue[Any],
        priority: Priority,
        clients: Clients,
        made_of: Callable[[Any], T],
        charge: Charge | None = None,
        *,
        is_short: bool = False,
    ) -> None:
        self._queue = queue
        self._charge = charge
        self._ticket = QueueTicket(priority, clients, is_short=is_short)
        self._made_of = made_of
        self._place: GrantedSlot[Any] | None = None

    @property
    def priority(self) -> Priority:
        return self._ticket.priority

    def promote(self, priority: Priority) -> None:
        """Raise the priority. A lower one changes nothing."""
        self._queue.promote(self._ticket, priority)

    def require_room(self) -> None:
        """Raises Busy if a view would wait for too long: it is asked before anything is fetched for one."""
        self._queue.require_room(self._ticket)

    async def __aenter__(self) -> T:
        self._place = await self._queue.acquire(self._ticket)
        return self._made_of(self._place.slot)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._place is not None:
            place, self._place = self._place, None
            used_s = self._queue.release(place)
            if self._charge is not None:
                self._charge(self._ticket.clients, used_s)
