"""Expiry: images whose time is over, found by rows and ended by compare-and-set, unless the clock can't be trusted."""

import logging
import time

from appliance.cache import Caches
from appliance.catalogue import ImageCatalogue, Notes
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import ClockJumped
from appliance.observability.metrics import Metrics

GRACE_S = 7 * DAY_S  # expired images keep their bytes so long; the manage link can bring them back
BATCH = 1000
JUMP_S = 300.0  # wall clock against monotonic clock, between two runs of one server
BACKWARD_S = 300
ABSENCE_S = 60 * DAY_S  # a server that was off for longer is asked for confirmation
LAST_RUN = "expiry-last-run"

log = logging.getLogger(__name__)


class Expiry:
    """Ends what is due. A jump of the clock stops it until a person confirms the time."""

    def __init__(
        self, *, catalogue: ImageCatalogue, notes: Notes, cache: Caches, metrics: Metrics, clock: Clock
    ) -> None:
        self._catalogue = catalogue
        self._notes = notes
        self._cache = cache
        self._metrics = metrics
        self._clock = clock
        self._seen: tuple[float, float] | None = None

    async def run(self, *, clock_confirmed: bool = False) -> int:
        """End every due image; says how many. Raises ClockJumped, and then nothing was ended."""
        now_s = int(self._clock())
        if not clock_confirmed:
            await self._check_clock(now_s)
        self._seen = (self._clock(), _steady_s())
        await self._notes.set(LAST_RUN, str(now_s))
        ended = 0
        while slugs := await self._catalogue.due(now_s, BATCH):
            images = await self._catalogue.expire(slugs, now_s=now_s, erase_after_s=now_s + GRACE_S)
            for image in images:
                await self._cache.evict(image.slug)
            ended += len(images)
            self._metrics.expired.inc(len(images))
        if ended:
            log.info("expired %d images", ended)
        return ended

    async def _check_clock(self, now_s: int) -> None:
        if self._seen is not None:
            wall_s, steady_s = self._seen
            drift_s = (self._clock() - wall_s) - (_steady_s() - steady_s)
            if abs(drift_s) > JUMP_S:
                raise self._jumped(f"The clock moved by {drift_s:+,.0f} s against the machine's steady clock.")
        last_s = int(await self._notes.get(LAST_RUN) or await self._catalogue.newest_created_s() or now_s)
        if now_s < last_s - BACKWARD_S:
            raise self._jumped(f"The clock is {last_s - now_s:,} s behind the last run.")
        if now_s > last_s + ABSENCE_S:
            raise self._jumped(f"The last run was {(now_s - last_s) // DAY_S} days ago.")

    @staticmethod
    def _jumped(words: str) -> ClockJumped:
        return ClockJumped(f"{words} Nothing was expired. If the time is right, run: appliance expire --clock-is-right")


def _steady_s() -> float:
    """Seconds since boot, those of a suspended machine included: its sleep is no jump of the clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
