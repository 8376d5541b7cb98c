"""Expiry: due images end, unless the clock can't be trusted."""

import logging
import time

from appliance.cache import Caches
from appliance.catalogue import ImageCatalogue, Notes
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import ClockJumped
from appliance.observability.metrics import Metrics

GRACE_S = 7 * DAY_S  # how long an expired image keeps its bytes, and an album its rows; the manage link restores them
EXPIRE_BATCH = 1000
JUMP_S = 300.0  # of the wall clock against the monotonic clock, between two runs of one server
BACKWARD_S = 300
ABSENCE_S = 60 * DAY_S  # after a longer absence a person has to confirm the time
LAST_RUN = "expiry-last-run"

log = logging.getLogger(__name__)


class ClockGuard:
    """Refuses a time that looks wrong, so that no jump of the clock ends what is not due."""

    def __init__(self, images: ImageCatalogue, notes: Notes, clock: Clock) -> None:
        self._images = images
        self._notes = notes
        self._clock = clock
        self._last_reading: tuple[float, float] | None = None

    async def trusted_now_s(self, *, is_confirmed: bool) -> int:
        """The time now, in unix seconds, which is remembered as good. `is_confirmed`: a person says that it is right.

        Raises ClockJumped.
        """
        now_s = int(self._clock())
        if not is_confirmed:
            self._check_drift()
            await self._check_last_run(now_s)
        self._last_reading = (self._clock(), _boot_time_s())
        await self._notes.set(LAST_RUN, str(now_s))
        return now_s

    def _check_drift(self) -> None:
        if self._last_reading is not None:
            wall_s, boot_s = self._last_reading
            drift_s = (self._clock() - wall_s) - (_boot_time_s() - boot_s)
            if abs(drift_s) > JUMP_S:
                raise _jumped(f"The clock moved by {drift_s:+,.0f} s against the machine's steady clock.")

    async def _check_last_run(self, now_s: int) -> None:
        last_s = int(await self._notes.get(LAST_RUN) or await self._images.newest_created_s() or now_s)
        if now_s < last_s - BACKWARD_S:
            raise _jumped(f"The clock is {last_s - now_s:,} s behind the last run.")
        if now_s > last_s + ABSENCE_S:
            raise _jumped(f"The last run was {(now_s - last_s) // DAY_S} days ago.")


async def expire_images(
    catalogue: ImageCatalogue, cache: Caches, metrics: Metrics, now_s: int, *, batch: int = EXPIRE_BATCH
) -> int:
    """End every image that is due, in batches; an extension that comes meanwhile wins. Returns how many ended."""
    ended = 0
    while slugs := await catalogue.due(now_s, batch):
        images = await catalogue.expire(slugs, now_s=now_s, erase_after_s=now_s + GRACE_S)
        for image in images:
            await cache.evict(image.slug)
        ended += len(images)
        metrics.expired.inc(len(images))
    if ended:
        log.info("expired %d images", ended)
    return ended


def _jumped(words: str) -> ClockJumped:
    return ClockJumped(f"{words} Nothing was expired. If the time is right, run: appliance expire --clock-is-right")


def _boot_time_s() -> float:
    """Seconds since boot, including those of a suspended machine: its sleep is no jump of the clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
