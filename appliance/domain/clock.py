"""The clocks, which are passed to whatever needs them, so that tests can set the time."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns unix seconds, or those of another beginning where that is said."""

DAY_S = 86_400
YEAR_10000_S = 253_402_300_800
"""From then on, times can't be written as people read them."""

system_clock: Clock = time.time


def system_boot_clock() -> float:
    """Seconds since boot, including those of a suspended machine: its sleep is no jump of the clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
