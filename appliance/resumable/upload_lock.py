"""Turns: one request at a time works on an upload, and gives way to the next that comes.

A client whose connection broke comes back before this host has noticed. Clients give up after about nine seconds
(tus-js-client's retries), so whoever receives bytes saves them and stops as soon as somebody else asks.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.domain.errors import UploadLocked
from appliance.spool import Digest

WAIT_S = 3.0  # whoever is to give way has saved by then, unless the disk hangs
KEPT = 4096  # uploads at rest whose digest is remembered; a forgotten one is read again


class Turn:
    """The place of one upload: who works on it, and the digest that follows its bytes."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._receiving: asyncio.Timeout | None = None
        self._waiting = 0
        self.digest = Digest()
        self.catching_up: asyncio.Task[None] | None = None

    @property
    def taken(self) -> bool:
        return self._lock.locked() or self._waiting > 0

    def hand_over(self) -> None:
        """Whoever receives bytes saves them and stops now."""
        if self._receiving is not None and not self._receiving.expired():
            self._receiving.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def taking(self) -> AsyncIterator[None]:
        """Take the turn from whoever has it. Raises UploadLocked when that takes too long."""
        self.hand_over()
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_S):
                await self._lock.acquire()
        except TimeoutError as fault:
            raise UploadLocked(
                "Another request is using this upload. Try again in a moment.", retry_after_s=1
            ) from fault
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._lock.release()

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """The part of a turn that can be handed over: then UploadLocked is raised in it."""
        asked_already = self._waiting > 0  # while there was nothing to hand over yet
        scope = asyncio.timeout(0 if asked_already else None)
        try:
            async with scope:
                self._receiving = scope
                yield
        except TimeoutError as fault:
            if not scope.expired():
                raise
            raise UploadLocked(
                "Another request took over this upload. What was uploaded is kept.", retry_after_s=1
            ) from fault
        finally:
            self._receiving = None


class Turns:
    """The turns of all uploads, made when they are asked for. Those at rest are forgotten, the longest unused first."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, Turn] = OrderedDict()

    def of(self, id_hash: str) -> Turn:
        turn = self._turns.setdefault(id_hash, Turn())
        self._turns.move_to_end(id_hash)
        if len(self._turns) > KEPT:
            self._forget_resting()
        return turn

    def taken(self, id_hash: str) -> bool:
        return id_hash in self._turns and self._turns[id_hash].taken

    def drop(self, id_hash: str) -> None:
        """The upload has ended; whoever waits for its turn keeps it."""
        if not self.taken(id_hash):
            self._turns.pop(id_hash, None)

    def hand_over_all(self) -> None:
        for turn in self._turns.values():
            turn.hand_over()

    def _forget_resting(self) -> None:
        newest = next(reversed(self._turns))
        resting = (name for name, turn in self._turns.items() if not turn.taken and name != newest)
        if (name := next(resting, None)) is not None:
            del self._turns[name]
