"""The clock that is passed in, so that tests can hold the time in their hands."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns unix seconds."""

DAY_S = 86_400

system_clock: Clock = time.time
