"""Holding what wants to go to the store while it is away: one at a time asks how it is and tries, the others wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from appliance.errors import StoreUnavailable
from appliance.objectstore.observed import ObservedStore

FIRST_PAUSE_S = 0.5
LAST_PAUSE_S = 10.0


class Gate:
    """Open while the store has no fault; else it lets one through after the other, each after a probe that succeeds."""

    def __init__(self, store: ObservedStore) -> None:
        self._store = store
        self._one = asyncio.Lock()
        self._pause_s = 0.0

    @asynccontextmanager
    async def passage(self, *, alone: bool) -> AsyncIterator[None]:
        """Waits until something may be put; `alone`: nothing else goes before this has shown how it fares."""
        if self._store.fault is None:
            self._pause_s = 0.0
            yield
            return
        async with self._one:
            await self._answers()
            if alone and self._store.fault is not None:  # it answers, but has yet to show that it takes originals
                yield
                return
        yield

    async def ask(self) -> None:
        """Ask the store how it is, unless one who waits does so already."""
        if self._store.fault is None:
            try:
                await self._store.check()
            except StoreUnavailable:
                return  # it is noted
        elif not self._one.locked():
            async with self._one:
                await self._probe()

    async def _answers(self) -> None:
        """Pauses and probes in turn, until the store answers or somebody else finds it well."""
        while self._store.fault is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._store.up.wait(), self._pause_s)
            self._pause_s = min(LAST_PAUSE_S, max(FIRST_PAUSE_S, 2 * self._pause_s))
            if self._store.fault is None or await self._probe():
                return

    async def _probe(self) -> bool:
        try:
            await self._store.probe()
        except StoreUnavailable:
            return False
        return True
