"""A throttle: large transfers pause while small ones run, so that these are as fast next to a large one as alone."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINGER_S = 0.25  # after a small transfer more are likely, and what a large one keeps busy would still hold them up


class Throttle:
    """Knows whether small transfers run now, or ran a moment ago. Used from many threads.

    Each chunk of a large transfer waits `pause_s` at most, so that none ever stands still.
    """

    def __init__(
        self,
        pause_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._clock = clock
        self._sleep = sleep
        self._running = 0
        self._last_s = -LINGER_S

    @contextmanager
    def small_transfer(self) -> Iterator[None]:
        """Surrounds a small transfer."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self.note_small()

    def note_small(self) -> None:
        """Note that some of a small transfer passed now."""
        self._last_s = self._clock()

    def delay_s(self) -> float:
        """How long the next chunk of a large transfer has to wait, in seconds; 0 while no small ones run."""
        return self._pause_s if self._running or self._clock() - self._last_s < LINGER_S else 0.0

    def wait(self) -> None:
        """Block before a chunk of a large transfer, for `delay_s`."""
        if delay_s := self.delay_s():
            self._sleep(delay_s)
