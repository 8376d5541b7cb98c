"""Places: what only so many may do at once, shared so that a few addresses never keep all others out.

An address holds a share at most (`shares`). When every place is taken, one that holds fewer still gets in: the slowest
transfer of the address that holds most ends for it. So nobody without a place is refused as long as another has two.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.errors import Busy
from appliance.shares import refuse_beyond_share

SETTLING_S = 5.0  # a younger transfer has not shown yet how fast it is


class Place:
    """One taken place, and how fast what happens in it moves."""

    __slots__ = ("_began_s", "_moved_bytes", "holder", "scope")

    def __init__(self, holder: str, scope: asyncio.Timeout, now_s: float) -> None:
        self.holder = holder
        self.scope = scope
        self._began_s = now_s
        self._moved_bytes = 0

    def moved(self, count: int) -> None:
        """Note that so many bytes came or went."""
        self._moved_bytes += count

    async def counted(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The stream as it is, with its bytes noted."""
        async for chunk in stream:
            self._moved_bytes += len(chunk)
            yield chunk

    def speed(self, now_s: float) -> tuple[bool, float]:
        """Sorts the slowest first, and those that are too young to tell last."""
        age_s = now_s - self._began_s
        return age_s < SETTLING_S, self._moved_bytes / max(age_s, 0.001)


class Places:
    """`most` places for one thing. A holder without a name is this host itself, and has no share to stay within."""

    def __init__(self, what: str, most: int, retry_after_s: int) -> None:
        self.most = most
        self._what = what
        self._retry_after_s = retry_after_s
        self._held: dict[str, set[Place]] = {}
        self._taken = 0

    @property
    def now(self) -> int:
        """How many are taken."""
        return self._taken

    def check(self, holder: str) -> None:
        """Raises Busy where `place` would."""
        mine = len(self._held.get(holder, ()))
        if holder:
            refuse_beyond_share(mine, self.most, self._what, self._retry_after_s)
        if self._taken >= self.most and self._yielding(mine) is None:
            raise self._busy(f"{self._taken:,} {self._what}, which is the limit of this host.")

    @asynccontextmanager
    async def place(self, holder: str) -> AsyncIterator[Place]:
        """Take a place. Raises Busy when there is none, and inside of it when somebody else has to get it."""
        self.check(holder)
        scope = asyncio.timeout(None)
        try:
            async with scope:
                place = self._take(holder, scope)
                try:
                    yield place
                finally:
                    self._leave(place)
        except TimeoutError as fault:
            if not scope.expired():
                raise
            raise self._busy(
                f"{self.most:,} {self._what}, which is the limit of this host. Yours was one of the slowest from an "
                "address with many, so it was stopped to let another one in."
            ) from fault

    def _take(self, holder: str, scope: asyncio.Timeout) -> Place:
        now_s = asyncio.get_running_loop().time()
        if self._taken >= self.most:
            fullest = self._yielding(len(self._held.get(holder, ())))
            assert fullest is not None, "it was checked, and nothing else ran since"
            slowest = min(fullest, key=lambda place: place.speed(now_s))
            self._leave(slowest)
            slowest.scope.reschedule(now_s)
        place = Place(holder, scope, now_s)
        self._held.setdefault(holder, set()).add(place)
        self._taken += 1
        return place

    def _leave(self, place: Place) -> None:
        """The place is free. One that had to go is so already."""
        held = self._held.get(place.holder, set())
        if place not in held:
            return
        self._taken -= 1
        held.remove(place)
        if not held:
            del self._held[place.holder]

    def _yielding(self, mine: int) -> set[Place] | None:
        """The places of the address that holds most, if one of them is due to somebody who holds `mine`."""
        fullest = max((held for holder, held in self._held.items() if holder), key=len, default=None)
        return fullest if fullest is not None and len(fullest) > mine + 1 else None

    def _busy(self, detail: str) -> Busy:
        return Busy(
            f"{detail} Try again in a few seconds.",
            limit=self.most,
            actual=self._taken,
            retry_after_s=self._retry_after_s,
        )
