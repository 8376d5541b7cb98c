"""Pace: giants give way to small objects, so that these come and go as fast beside a giant as without one."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINGER_S = 0.25  # where a small object came, more will: what a giant has the machine busy with would still hold them up


class Pace:
    """Knows when small objects are, or were just now, on their way. Used from many threads.

    `pause_s` is what a giant's chunk waits at most, so that no giant ever stands still.
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
        self._small = 0
        self._last_s = -LINGER_S

    @contextmanager
    def small(self) -> Iterator[None]:
        """While a small object is sent."""
        with self._lock:
            self._small += 1
        try:
            yield
        finally:
            with self._lock:
                self._small -= 1
                self.small_came()

    def small_came(self) -> None:
        """A small object, or some of it, was here just now."""
        self._last_s = self._clock()

    def due_s(self) -> float:
        """What the next chunk of a giant waits: nothing where no small objects come."""
        return self._pause_s if self._small or self._clock() - self._last_s < LINGER_S else 0.0

    def give_way(self) -> None:
        """Before each chunk of a giant, on a thread of its own: the pause, if there is one."""
        if pause_s := self.due_s():
            self._sleep(pause_s)
