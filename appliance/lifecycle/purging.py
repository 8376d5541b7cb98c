"""Purging: shared caches forget what has changed or ended, and are asked again until they confirm it.

Each change leaves its purge in a row, so no answer waits for a cache, and no crash loses a purge.
"""

import asyncio
import contextlib
import logging

from appliance.catalogue import PendingPurges, PurgeOutbox
from appliance.cdn import SharedCaches
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError, PurgeFailed
from appliance.observability.metrics import Metrics

AGAIN_S = 60  # until the second round; longer than any answer that was on its way to a cache in the first
FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 60.0
IDLE_S = 10.0  # how late a second round may come

log = logging.getLogger(__name__)


class Purger:
    """Purges the caches. Without any (`caches` None) it does nothing, and no purge is due.

    `purging` is held during each round, so no round starts while somebody else holds it.
    """

    def __init__(self, caches: SharedCaches | None, *, rows: PurgeOutbox, metrics: Metrics, clock: Clock) -> None:
        self._caches = caches
        self._rows = rows
        self._metrics = metrics
        self._clock = clock
        self.purging = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._waiting = PendingPurges()

    def start(self) -> None:
        if self._caches is not None:
            self._task = asyncio.create_task(self._purge_forever(self._caches))

    async def stop(self) -> None:
        """Stop at once; what was not confirmed stays due."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._caches is not None:
            await self._caches.close()

    @property
    def waiting_tags(self) -> int:
        """How many tags were due and not confirmed, when it last looked."""
        return self._waiting.tags

    @property
    def lag_s(self) -> float:
        """How long the oldest of them has waited, in seconds."""
        oldest_s = self._waiting.oldest_due_s
        return 0.0 if oldest_s is None else max(0.0, self._clock() - oldest_s)

    async def purge_due(self) -> int:
        """Purge all that is due. Returns how many tags. Raises PurgeFailed; what is left stays due."""
        return 0 if self._caches is None else await self._purge_due(self._caches)

    async def _purge_due(self, caches: SharedCaches) -> int:
        purged = 0
        async with self.purging:
            try:
                while due := await self._rows.due(int(self._clock()), caches.max_tags):
                    await caches.purge([purge.tag for purge in due])
                    await self._rows.confirm(due, again_s=int(self._clock()) + AGAIN_S)
                    self._metrics.purged.inc(len(due))
                    purged += len(due)
            except PurgeFailed:
                self._metrics.purge_failures.inc()
                raise
            finally:
                self._waiting = await self._rows.count_pending(int(self._clock()))
        return purged

    async def _purge_forever(self, caches: SharedCaches) -> None:
        pause_s = 0.0
        while True:
            self._rows.pending.clear()
            try:
                await self._purge_due(caches)
            except ApplianceError as fault:
                pause_s = min(MAX_PAUSE_S, max(FIRST_PAUSE_S, 2 * pause_s))
                log.warning("%d tags are waiting to be purged: %s", self._waiting.tags, fault.detail)
                await asyncio.sleep(max(pause_s, fault.retry_after_s or 0))
            except Exception:
                pause_s = MAX_PAUSE_S
                log.exception("purging failed")
                await asyncio.sleep(pause_s)
            else:
                pause_s = 0.0
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_S):
                        await self._rows.pending.wait()
