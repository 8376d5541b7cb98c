"""Pending orders: those in a worker's socket. It begins each one when it has answered the one before."""

import asyncio
import os
from collections import deque
from collections.abc import Callable

from appliance.workers.answers import Answer

Reply = tuple[Answer, list[int]]
"""An answer and the descriptors that came with it, which the caller closes."""


class NotBegun(Exception):
    """The process ended during or after an earlier order. Another process can do this one."""


class PendingOrder:
    """An order that is not answered yet. It may take `deadline_s`, from the moment when the worker begins it."""

    def __init__(self, deadline_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.deadline_s = deadline_s
        self.reply: asyncio.Future[Reply] = self._loop.create_future()
        self.has_begun = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, late: Callable[[], None]) -> None:
        """From now on the deadline counts; `late` is called when it has passed."""
        self.has_begun = True
        self._timer = self._loop.call_later(self.deadline_s, late)

    def answer(self, reply: Reply) -> None:
        """Give its caller the reply; what comes for a caller that is gone is closed."""
        self._stop()
        if self.reply.done():
            close_all(reply[1])
        else:
            self.reply.set_result(reply)

    def fail(self, fault: Exception) -> None:
        """Give its caller the fault, unless it has an answer."""
        self._stop()
        if not self.reply.done():
            self.reply.set_exception(fault)

    def discard(self) -> None:
        """Close the descriptors of an answer that nobody waits for any more."""
        if self.reply.done() and not self.reply.cancelled() and self.reply.exception() is None:
            close_all(self.reply.result()[1])

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class PendingOrders:
    """The orders of one worker, the first of which it has begun. `late` is called when that passes its deadline."""

    def __init__(self, late: Callable[[PendingOrder], None]) -> None:
        self._late = late
        self._orders: deque[PendingOrder] = deque()

    def __bool__(self) -> bool:
        return bool(self._orders)

    def add(self, order: PendingOrder) -> None:
        """The order is in the socket, behind all others."""
        self._orders.append(order)
        self._begin_first()

    def answer_first(self, reply: Reply) -> None:
        """Answer the one that has begun. Raises ValueError when there is none."""
        if not self._orders:
            raise ValueError("an answer that nobody waits for")
        self._orders.popleft().answer(reply)
        self._begin_first()

    def end(self, fault: Exception) -> None:
        """The process has ended: the one that had begun gets the fault, and the others NotBegun."""
        while self._orders:
            self._orders.popleft().fail(fault)
            fault = NotBegun()

    def fail_first(self, fault: Exception) -> None:
        """Give the one that has begun the fault. It stays the first."""
        if self._orders:
            self._orders[0].fail(fault)

    def _begin_first(self) -> None:
        if self._orders and not self._orders[0].has_begun:
            first = self._orders[0]
            first.begin(lambda: self._late(first))


def close_all(fds: list[int]) -> None:
    """Close the descriptors."""
    for fd in fds:
        os.close(fd)
