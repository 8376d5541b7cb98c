"""A clock that never goes back, made of one that may be set: else a limit would last as long as the step back."""

from collections.abc import Callable


class SteadyClock:
    """Seconds since some moment."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last_s = clock()
        self._offset_s = 0.0

    def __call__(self) -> float:
        now_s = self._clock() + self._offset_s
        if now_s < self._last_s:
            self._offset_s += self._last_s - now_s
            return self._last_s
        self._last_s = now_s
        return now_s
