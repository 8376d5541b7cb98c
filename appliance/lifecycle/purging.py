"""Purging: shared caches forget what has changed or ended, told again and again until they confirm it.

What is owed lies in rows, which the change itself has left; so no answer waits for a cache, and no crash loses one.
"""

import asyncio
import contextlib
import logging

from appliance.catalogue import PendingPurges, PurgeOutbox
from appliance.cdn import SharedCaches
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError, PurgeFailed
from appliance.observability.metrics import Metrics

AGAIN_S = 60  # longer than making a rendition or opening an original may take: what was on its way then is through
FIRST_PAUSE_S, LAST_PAUSE_S = 1.0, 60.0
IDLE_S = 10.0  # how late a second round may come

log = logging.getLogger(__name__)


class Purger:
    """Tells the caches. Without any (`caches` None) there is nothing to do, and nothing is owed."""

    def __init__(self, caches: SharedCaches | None, *, rows: PurgeOutbox, metrics: Metrics, clock: Clock) -> None:
        self._caches = caches
        self._rows = rows
        self._metrics = metrics
        self._clock = clock
        self._one = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._waiting = PendingPurges()

    def start(self) -> None:
        if self._caches is not None:
            self._task = asyncio.create_task(self._go_on(self._caches))

    async def stop(self) -> None:
        """What was not confirmed stays owed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._caches is not None:
            await self._caches.close()

    @property
    def waiting_tags(self) -> int:
        """How many tags were due and not confirmed when it last looked."""
        return self._waiting.tags

    @property
    def lag_s(self) -> float:
        """How long the oldest of them has waited."""
        oldest_s = self._waiting.oldest_due_s
        return 0.0 if oldest_s is None else max(0.0, self._clock() - oldest_s)

    async def run(self) -> int:
        """Purge all that is due; says how many tags. Raises PurgeFailed: what is left stays owed."""
        return 0 if self._caches is None else await self._run(self._caches)

    async def _run(self, caches: SharedCaches) -> int:
        purged = 0
        async with self._one:
            try:
                while owed := await self._rows.due(int(self._clock()), caches.most_tags):
                    await caches.purge([purge.tag for purge in owed])
                    await self._rows.confirm(owed, again_s=int(self._clock()) + AGAIN_S)
                    self._metrics.purged.inc(len(owed))
                    purged += len(owed)
            except PurgeFailed:
                self._metrics.purge_failures.inc()
                raise
            finally:
                self._waiting = await self._rows.count_pending(int(self._clock()))
        return purged

    async def _go_on(self, caches: SharedCaches) -> None:
        pause_s = 0.0
        while True:
            self._rows.pending.clear()
            try:
                await self._run(caches)
                pause_s = 0.0
            except ApplianceError as fault:
                pause_s = min(LAST_PAUSE_S, max(FIRST_PAUSE_S, 2 * pause_s))
                log.warning("%d tags are waiting to be purged: %s", self._waiting.tags, fault.detail)
                await asyncio.sleep(max(pause_s, fault.retry_after_s or 0))
                continue
            except Exception:
                log.exception("purging failed")
                pause_s = LAST_PAUSE_S
                await asyncio.sleep(pause_s)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rows.pending.wait(), IDLE_S)
