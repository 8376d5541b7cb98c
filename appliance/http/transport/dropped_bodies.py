"""Dropping bodies that nobody wants: a few reads in each turn of the event loop, so that what is wanted goes first."""

import asyncio
from collections import deque
from collections.abc import Callable

MAX_READS_PER_TURN = 16
"""A turn takes some two milliseconds for them, however many clients are refused."""


class DroppedBodies:
    """Lets connections read on in the order in which they ask. Used from the event loop only."""

    def __init__(self) -> None:
        self._read = 0
        self._waiting: deque[Callable[[], None]] = deque()

    def read_on(self, resume: Callable[[], None]) -> None:
        """Call `resume`, which lets one more piece be read: at once unless too many were read in this turn."""
        if self._waiting or self._read >= MAX_READS_PER_TURN:
            self._waiting.append(resume)
        else:
            self._resume(resume)

    def _resume(self, resume: Callable[[], None]) -> None:
        if not self._read:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._read += 1
        resume()

    def _next_turn(self) -> None:
        self._read = 0
        for _ in range(min(len(self._waiting), MAX_READS_PER_TURN)):
            self._resume(self._waiting.popleft())
