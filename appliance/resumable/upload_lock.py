"""Upload locks: one request at a time works on an upload, and releases it to the next one that asks.

A client whose connection broke asks again before this host has noticed. Clients give up after about nine seconds
(tus-js-client's retries), so a request that receives bytes saves them and stops as soon as another one asks.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.domain.errors import UploadLocked
from appliance.spool import Digest

WAIT_S = 3.0  # by then the holder has saved its bytes, unless the disk hangs
MAX_IDLE = 4096  # uploads at rest whose digest is kept; that of others is computed again from the file


class UploadLock:
    """The lock of one upload, and the digest that follows its bytes. `wait_s` is how long a request waits for it."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self.digest = Digest()
        self.catching_up: asyncio.Task[None] | None = None
        self._wait_s = wait_s
        self._lock = asyncio.Lock()
        self._receiving: asyncio.Timeout | None = None
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many requests wait for the lock."""
        return self._waiting

    @property
    def is_in_use(self) -> bool:
        """Whether a request holds the lock or waits for it."""
        return self._lock.locked() or self._waiting > 0

    def request_release(self) -> None:
        """Have the holder save what it received and stop."""
        if self._receiving is not None and not self._receiving.expired():
            self._receiving.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold the lock, after requesting its release. Raises UploadLocked when that takes too long."""
        self.request_release()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
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
        """The part of the holder's work that can be interrupted. Raises UploadLocked when another request asks."""
        asked_already = self._waiting > 0  # before there was anything to interrupt
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


class UploadLocks:
    """The locks of all uploads, by the hashes of their ids.

    Beyond `max_idle`, the lock that has been idle longest is dropped.
    """

    def __init__(self, *, wait_s: float = WAIT_S, max_idle: int = MAX_IDLE) -> None:
        self.wait_s = wait_s
        self.max_idle = max_idle
        self._locks: OrderedDict[str, UploadLock] = OrderedDict()

    def of(self, id_hash: str) -> UploadLock:
        """The upload's lock."""
        lock = self._locks.setdefault(id_hash, UploadLock(self.wait_s))
        self._locks.move_to_end(id_hash)
        if len(self._locks) > self.max_idle:
            self._drop_longest_idle()
        return lock

    def is_in_use(self, id_hash: str) -> bool:
        """Whether a request works on the upload or waits to do so."""
        return id_hash in self._locks and self._locks[id_hash].is_in_use

    def drop(self, id_hash: str) -> None:
        """Drop the lock of an upload that has ended, unless it is in use."""
        if not self.is_in_use(id_hash):
            self._locks.pop(id_hash, None)

    def request_release_all(self) -> None:
        """Have every request that receives bytes save them and stop."""
        for lock in self._locks.values():
            lock.request_release()

    def _drop_longest_idle(self) -> None:
        newest = next(reversed(self._locks))
        idle = (name for name, lock in self._locks.items() if not lock.is_in_use and name != newest)
        if (name := next(idle, None)) is not None:
            del self._locks[name]
