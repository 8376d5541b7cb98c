"""Prompt writes: records that are written to the store before a request is answered, if that works in time.

A row says that each is due, and a job writes those that were too late.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine

from appliance.domain.errors import StoreUnavailable
from appliance.objectstore.observed import ObservedStore

log = logging.getLogger(__name__)

Write = Callable[[], Coroutine[object, object, object]]


class PromptWrites:
    """Has a request wait for a write at most `budget_s`, and not at all while the store is unavailable."""

    def __init__(self, store: ObservedStore, budget_s: float) -> None:
        self._store = store
        self._budget_s = budget_s
        self._running: set[asyncio.Task[None]] = set()

    async def attempt(self, write: Write) -> None:
        """Begin the write and wait for it; it continues when the time is over. Its faults are for the job."""
        if self._store.fault is not None:
            return
        running = asyncio.create_task(_run(write))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        await asyncio.wait([running], timeout=self._budget_s)

    async def stop(self) -> None:
        """End what still waits for the store."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


async def _run(write: Write) -> None:
    try:
        await write()
    except StoreUnavailable:  # it is recorded
        pass
    except Exception:
        log.exception("a write to the store failed")
