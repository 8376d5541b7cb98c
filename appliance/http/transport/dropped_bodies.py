"""Dropping bodies that nobody wants: a few reads in each turn of the event loop, so that what is wanted goes first.

Clients who had much dropped lately come last. So a person whose upload is refused soon sees why, while a flood waits
for itself.
"""

import asyncio
import heapq
import math
import time
from collections.abc import Callable
from itertools import count

MAX_READS_PER_TURN = 16
"""A turn takes some two milliseconds for them, however many clients are refused."""
HALF_LIFE_S = 10.0
"""After this time, a read counts half."""
MUCH_READS = 32
"""Clients come in the order in which they ask, but for those with this many recent reads, or twice, or three times: a
person's few refused files are less."""
MAX_CLIENTS = 10_000
"""Remembered at most; after that, all begin alike."""
_MAX_WEIGHT = 2.0**500

Resume = Callable[[], None]


class DroppedBodies:
    """Lets connections read on. Used from the event loop only. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_s = clock()
        self._lately: dict[str, float] = {}
        self._read = 0
        self._waiting: list[tuple[int, int, str, Resume]] = []
        self._numbers = count()

    def read_on(self, client: str, resume: Resume) -> None:
        """Call `resume`, which lets one more piece be read: at once unless too many were read in this turn."""
        if self._waiting or self._read >= MAX_READS_PER_TURN:
            heapq.heappush(self._waiting, (self._rank(client), next(self._numbers), client, resume))
        else:
            self._resume(client, resume)

    def _resume(self, client: str, resume: Resume) -> None:
        if not self._read:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._read += 1
        self._remember(client)
        resume()

    def _next_turn(self) -> None:
        self._read = 0
        for _ in range(min(len(self._waiting), MAX_READS_PER_TURN)):
            *_, client, resume = heapq.heappop(self._waiting)
            self._resume(client, resume)

    def _rank(self, client: str) -> int:
        return int(self._lately.get(client, 0.0) / self._weight() / MUCH_READS)

    def _weight(self) -> float:
        """What a read counts now: more and more, instead of what was read counting less and less."""
        return math.exp2((self._clock() - self._began_s) / HALF_LIFE_S)

    def _remember(self, client: str) -> None:
        weight = self._weight()
        if weight > _MAX_WEIGHT or (len(self._lately) >= MAX_CLIENTS and client not in self._lately):
            self._begin_again()
            weight = 1.0
        self._lately[client] = self._lately.get(client, 0.0) + weight

    def _begin_again(self) -> None:
        self._lately.clear()
        self._began_s = self._clock()
        self._waiting = [(0, number, client, resume) for _, number, client, resume in self._waiting]
        heapq.heapify(self._waiting)
