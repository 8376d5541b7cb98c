"""Room: disk that is promised once, and what is kept back for uploads under way before new ones may have it.

An announcement reserves nothing. Each block is promised when it is to be written. Beyond that an upload under way is
expected to bring more, in proportion to what it has brought, and the others leave it that much: an idle announcer has
next to nothing, and nobody has more than comes within the hour.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from appliance.domain.errors import DiskFull
from appliance.shared.throttle import Throttle

PAUSE_S = 0.02  # for each block: while small uploads run, each large one keeps 50 MB/s
STEP_BYTES = 1 << 20  # expected of every upload, if it has so much left
FOLD = 4  # an upload is expected to bring so many times what is here of it: from a fifth on, all of it
HORIZON_S = 3600.0  # and no more than it brings in this time at its pace
MEASURED_S = 60.0  # before that, pace is reckoned as if so much time had passed
OPEN_BYTES = 16 << 20  # of each upload so much finds a part of the room that nobody can keep from it
OPEN_SHARE = 2  # one in so many bytes of what is free is left to those
CLIENT_SHARE = 4  # and of one address no more than one in so many is kept back from them
RESTS_S = 15.0  # a resumable upload's next request comes within this time, also after it was told to wait


@dataclass(frozen=True, slots=True)
class Coming:
    """What comes of an upload: `max_bytes` at most. `announced_bytes` is None where nobody said how many.

    `since_s` is when the upload was begun, and `client` whose it is.
    """

    max_bytes: int
    announced_bytes: int | None = None
    client: str = ""
    since_s: float = 0.0


@dataclass(slots=True, eq=False)
class Stake:
    """What one upload has brought, and may still bring. `announced` is None where nobody said how much comes."""

    name: str
    client: str
    announced: int | None
    here: int
    left: int
    turn: tuple[float, int]
    began_s: float
    brought: int = 0
    rested_s: float = 0.0
    most: int = 0
    """What is expected of it however quick it is."""

    def expects(self, now_s: float) -> int:
        """What is expected of it: in proportion to what is here, and to its pace."""
        if self.most <= STEP_BYTES:
            return self.most
        soon = int(self.brought * HORIZON_S / max(MEASURED_S, now_s - self.began_s))
        return min(self.most, max(STEP_BYTES, soon))


class Room:
    """Disk that is promised once. `evictable` says how many bytes of it could be freed without a loss."""

    def __init__(
        self,
        folder: Path,
        reserve_bytes: int,
        evictable: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._reserve_bytes = reserve_bytes
        self._evictable = evictable
        self.clock = clock
        self.throttle = Throttle(PAUSE_S, clock)
        self.promised_bytes = 0
        self._most_expected = 0  # an upper bound of what all are expected to bring, so that it is seldom reckoned
        self._numbers = count()
        self._under_way: set[Stake] = set()
        self._resting: dict[str, Stake] = {}

    @property
    def available_bytes(self) -> int:
        """Free disk less the reserve and what is promised already."""
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize - self._reserve_bytes - self.promised_bytes

    # --- uploads under way ----------------------------------------------------------------------------------------

    def begin(self, name: str, coming: Coming, here: int) -> Stake:
        """An upload is under way, of which `here` bytes are on the disk. One that rests continues at its pace."""
        left = coming.max_bytes if coming.announced_bytes is None else coming.announced_bytes
        turn = (coming.since_s, next(self._numbers))
        stake = Stake(name, coming.client, coming.announced_bytes, here, left, turn, self.clock())
        if (before := self._resting.pop(name, None)) is not None:
            self._most_expected -= before.most
            stake.turn, stake.began_s, stake.brought = before.turn, before.began_s, before.brought
        self._under_way.add(stake)
        self._changed(stake)
        return stake

    def _changed(self, stake: Stake) -> None:
        most = min(stake.left, max(STEP_BYTES, FOLD * stake.here))
        self._most_expected += most - stake.most
        stake.most = most

    def end(self, stake: Stake, *, rests: bool) -> None:
        """It is not under way any more. One that `rests` keeps its place for a moment, if it has brought something."""
        if stake not in self._under_way:
            return
        self._under_way.remove(stake)
        if rests and stake.left > 0 and stake.here >= STEP_BYTES and stake.name not in self._resting:
            stake.rested_s = self.clock()
            self._resting[stake.name] = stake
        else:
            self._most_expected -= stake.most
        self._forget_rested()

    def _forget_rested(self) -> None:
        last_s = self.clock() - RESTS_S
        while self._resting and (name := next(iter(self._resting))) and self._resting[name].rested_s < last_s:
            self._most_expected -= self._resting.pop(name).most

    def take(self, stake: Stake, bytes_: int) -> None:
        """Promise the upload its next block. Raises DiskFull, with what was asked for."""
        self._refuse_beyond(self.available_bytes, bytes_, stake)
        self.promised_bytes += bytes_
        stake.left = max(0, stake.left - bytes_)
        self._changed(stake)

    def arrived(self, stake: Stake, bytes_: int) -> None:
        """The block is on the disk, which counts it from here on."""
        self.promised_bytes -= bytes_
        stake.here += bytes_
        stake.brought += bytes_
        self._changed(stake)

    # --- work of this host itself -----------------------------------------------------------------------------------

    def claim(self, wanted_bytes: int) -> None:
        """Promise so much at once. Raises DiskFull."""
        self._refuse_beyond(self.available_bytes, wanted_bytes, None)
        self.promised_bytes += wanted_bytes

    def give_back(self, bytes_: int) -> None:
        """Take back a promise: the bytes were written (the disk counts them now) or won't be."""
        self.promised_bytes -= bytes_

    # --- who may have how much ------------------------------------------------------------------------------------

    def check(self, wanted_bytes: int, stake: Stake | None = None) -> None:
        """Raises DiskFull when so many bytes, of a new upload or more of this one, can't fit, evicting included."""
        self._refuse_beyond(self.available_bytes + self._evictable(), wanted_bytes, stake)

    def is_short_of(self, wanted_bytes: int, stake: Stake | None = None) -> bool:
        """Whether so many bytes are to wait for an eviction, or have no room at all."""
        return not self._lets_in(self.available_bytes, wanted_bytes, stake)

    def aim(self, wanted_bytes: int, stake: Stake | None = None) -> int:
        """How much has to be available for that."""
        if _is_open(wanted_bytes, stake):
            return wanted_bytes * OPEN_SHARE
        return wanted_bytes + sum(self._ahead_of(stake).values())

    def _refuse_beyond(self, available: int, wanted_bytes: int, stake: Stake | None) -> None:
        if self._lets_in(available, wanted_bytes, stake):
            return
        asked = wanted_bytes if stake is None else stake.announced or stake.here + wanted_bytes
        raise no_room(asked)

    def _lets_in(self, available: int, wanted_bytes: int, stake: Stake | None) -> bool:
        if not wanted_bytes or wanted_bytes + self._most_expected <= available:  # nobody is in anybody's way
            return True
        is_open, open_share = _is_open(wanted_bytes, stake), max(0, available) // OPEN_SHARE
        if wanted_bytes > available or (is_open and wanted_bytes + open_share <= available):
            return wanted_bytes <= available
        ahead = self._ahead_of(stake)
        if not is_open:
            return wanted_bytes + sum(ahead.values()) <= available
        client_share = max(0, available) // CLIENT_SHARE
        kept_back = sum(min(client_share, expected) for expected in ahead.values())
        return wanted_bytes + min(open_share, kept_back) <= available

    def _ahead_of(self, stake: Stake | None) -> Mapping[str, int]:
        """What those who go first, because they began first, are expected to bring, by their addresses."""
        self._forget_rested()
        now_s, ahead, turn = self.clock(), defaultdict[str, int](int), None if stake is None else stake.turn
        for other in chain(self._under_way, self._resting.values()):
            if turn is None or other.turn < turn:
                ahead[other.client] += other.expects(now_s)
        return ahead


def _is_open(wanted_bytes: int, stake: Stake | None) -> bool:
    return wanted_bytes + (0 if stake is None else stake.here) <= OPEN_BYTES


def no_room(asked_bytes: int | None) -> DiskFull:
    """What was asked for is told, where it is known; never what is free, for that would be the figure to aim at."""
    needs = "more space" if asked_bytes is None else f"{asked_bytes:,} bytes"
    return DiskFull(f"There is not enough disk space: this upload needs {needs}. Try again later.", actual=asked_bytes)
