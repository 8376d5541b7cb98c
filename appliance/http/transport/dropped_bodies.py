"""Dropping bodies that nobody wants: a few reads in each turn of the event loop, so that what is wanted goes first."""

import asyncio
from collections import deque
from collections.abc import Callable

MAX_READS_PER_TURN = 32
"""Of 96 KB at most: a turn takes some three milliseconds for them, however many clients are refused. With half as many,
in a flood, a client that still sends is not through within the ten seconds that aiohttp waits, and sees a reset."""


class DroppedBodies:
    """Lets connections read on in the order in which they ask. Used from the event loop only."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def read_on(self, resume: Callable[[], None]) -> None:
        """Call `resume`, which lets one more piece be read, when it is due."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._waiting.append(resume)

    def _next_turn(self) -> None:
        for _ in range(min(len(self._waiting), MAX_READS_PER_TURN)):
            self._waiting.popleft()()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next_turn)
