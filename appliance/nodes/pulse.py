"""Pulse: this node's own heartbeats, by which it knows whether the silence of another node means anything."""

import math

from appliance.domain.clock import Clock
from appliance.domain.nodes import DEAD_AFTER_S

STEADY_WITHIN_S: float = DEAD_AFTER_S / 2
"""Half of it, because nodes beat at different moments: what kept one silent kept another so for some seconds more."""


class Pulse:
    """When this node's heartbeats were recorded. `boot_clock` returns seconds since boot."""

    def __init__(self, boot_clock: Clock) -> None:
        self.boot_clock = boot_clock
        self._last_s = -math.inf
        self._steady_from_s = -math.inf

    def record(self, begun_s: float) -> None:
        """A heartbeat that began then is in the catalogue. After a gap, the others get time to be heard as well."""
        if -math.inf < self._last_s <= begun_s - STEADY_WITHIN_S:
            self._steady_from_s = begun_s + DEAD_AFTER_S
        self._last_s = begun_s

    @property
    def is_steady(self) -> bool:
        """Whether the catalogue has heard this node all the time, so that it would have heard another one, too."""
        now_s = self.boot_clock()
        return now_s >= self._steady_from_s and now_s < self._last_s + STEADY_WITHIN_S
