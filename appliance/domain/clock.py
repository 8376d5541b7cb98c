"""The clock, which is passed to whatever needs it, so that tests can set the time."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns unix seconds."""

DAY_S = 86_400

system_clock: Clock = time.time
