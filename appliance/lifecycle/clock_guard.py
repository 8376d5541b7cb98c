"""The clock guard: whether the wall clock can be trusted, and what time it is at least where it can't."""

import logging
from dataclasses import dataclass

from appliance.catalogue import ImageCatalogue, Notes
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import ClockJumped

JUMP_S = 300.0  # of the wall clock against the steady clock, between two runs of one server
BACKWARD_S = 300
ABSENCE_S = 60 * DAY_S  # after a longer absence a person has to confirm the time
LAST_RUN = "expiry-last-run"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Both clocks at one moment: the wall clock in unix seconds, the steady one in seconds since boot."""

    wall_s: float
    boot_s: float


class ClockGuard:
    """Refuses a time that looks wrong, so that no jump of the clock ends or erases what is not due.

    `boot_clock` is the machine's steady clock. `fault` says in words why the time isn't trusted; None while it is.
    """

    def __init__(self, images: ImageCatalogue, notes: Notes, clock: Clock, boot_clock: Clock) -> None:
        self._images = images
        self._notes = notes
        self._clock = clock
        self._boot_clock = boot_clock
        self._known = _Reading(0.0, boot_clock())
        self._last_run: _Reading | None = None
        self.fault: str | None = None

    async def start(self) -> None:
        """Begin with the time now, or with that of the last run where the time now can't be trusted."""
        now = self._read()
        try:
            await self._check(now)
        except ClockJumped as jumped:
            log.warning("%s", jumped.detail)
            now = _Reading(await self._last_run_s(now), now.boot_s)
        self._known = now

    def cautious_now_s(self) -> float:
        """The time now in unix seconds, which no jump puts ahead: the steady clock counts from the last trusted time.

        A Clock for what destroys something once it is due. Nothing is due before `start`.
        """
        now = self._read()
        return min(now.wall_s, self._known.wall_s + now.boot_s - self._known.boot_s)

    async def trusted_now_s(self, *, is_confirmed: bool) -> int:
        """The time now, in unix seconds, which is remembered as good. `is_confirmed`: a person says that it is right.

        Raises ClockJumped.
        """
        now = self._read()
        if not is_confirmed:
            await self._check(now)
        self.fault = None
        self._known = self._last_run = now
        await self._notes.set(LAST_RUN, str(int(now.wall_s)))
        return int(now.wall_s)

    def _read(self) -> _Reading:
        return _Reading(self._clock(), self._boot_clock())

    async def _check(self, now: _Reading) -> None:
        words = self._drift(now) or self._absence(int(now.wall_s), await self._last_run_s(now))
        if words is not None:
            jumped = ClockJumped(
                f"{words} Nothing expires or is erased because of it. If the time is right, run: "
                "appliance expire --clock-is-right"
            )
            self.fault = jumped.detail
            raise jumped

    def _drift(self, now: _Reading) -> str | None:
        if self._last_run is None:
            return None
        drift_s = (now.wall_s - self._last_run.wall_s) - (now.boot_s - self._last_run.boot_s)
        if abs(drift_s) <= JUMP_S:
            return None
        return f"The clock moved by {drift_s:+,.0f} s against the machine's steady clock."

    def _absence(self, now_s: int, last_s: int) -> str | None:
        if now_s < last_s - BACKWARD_S:
            return f"The clock is {last_s - now_s:,} s behind the last run."
        if now_s > last_s + ABSENCE_S:
            return f"The last run was {(now_s - last_s) // DAY_S} days ago."
        return None

    async def _last_run_s(self, now: _Reading) -> int:
        """The newest image's time where nothing ran yet, and the time now where there is none either."""
        return int(await self._notes.get(LAST_RUN) or await self._images.newest_created_s() or now.wall_s)
