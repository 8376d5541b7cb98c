"""Room: disk space that is promised once, and what is kept back for uploads in progress before new ones may have it.

An announced size reserves nothing. Each block is promised when it is about to be written. Beyond that an upload in
progress is expected to bring more, in proportion to what it has brought, and later uploads leave it that much: one that
announces the whole disk and sends next to nothing has next to nothing, and none has more than it brings in an hour.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from appliance.domain.errors import DiskFull
from appliance.shared.throttle import Throttle

PAUSE_S = 0.02  # for each block: while small uploads run, each large one keeps 50 MB/s
STEP_BYTES = 1 << 20  # expected of every upload that has so much left
FOLD = 4  # an upload is expected to bring so many times what is here of it: from a fifth on, all of it
HORIZON_S = 3600.0  # and no more than it brings in this time at its rate
MEASURED_S = 60.0  # before that, the rate is computed as if so much time had passed
OPEN_BYTES = 16 << 20  # of each upload so much has access to a part of the room that nobody can keep from it
OPEN_SHARE = 2  # that part is one in so many bytes of what is free
RESERVE_SHARE = 2  # of the reserve one in so many bytes is for copies that sizes are made from
CLIENT_SHARE = 4  # and for one client no more than one in so many bytes is kept back from it
RESTS_S = 15.0  # a resumable upload's next request arrives within this time, also after it was asked to wait


@dataclass(frozen=True, slots=True)
class ExpectedUpload:
    """What is known of an upload before its bytes arrive. `announced_bytes` is None where no size was sent.

    It brings `max_bytes` at most. `since_s` is when it was created, and `client` is whose it is.
    """

    max_bytes: int
    announced_bytes: int | None = None
    client: str = ""
    since_s: float = 0.0


@dataclass(slots=True, eq=False)
class UploadProgress:
    """What one upload has brought, and may still bring, in bytes. `announced` is None where no size was sent.

    `here` of them are on the disk, and `left` may still come. Uploads with a lower `rank` go first.
    """

    name: str
    client: str
    announced: int | None
    here: int
    left: int
    rank: tuple[float, int]
    began_s: float
    brought: int = 0
    rested_s: float = 0.0
    max_expected: int = 0
    """What is expected of it however fast it is."""

    def expected(self, now_s: float) -> int:
        """The bytes that are expected of it: in proportion to what is here, and to its rate."""
        if self.max_expected <= STEP_BYTES:
            return self.max_expected
        within_horizon = int(self.brought * HORIZON_S / max(MEASURED_S, now_s - self.began_s))
        return min(self.max_expected, max(STEP_BYTES, within_horizon))


class Room:
    """Disk space that is promised once. `evictable` returns how many bytes could be freed without a loss.

    A resumable upload keeps its place between two requests for `rests_s`.
    """

    def __init__(
        self,
        folder: Path,
        reserve_bytes: int,
        evictable: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
        rests_s: float = RESTS_S,
    ) -> None:
        self._folder = folder
        self._reserve_bytes = reserve_bytes
        self._evictable = evictable
        self.clock = clock
        self.rests_s = rests_s
        self.throttle = Throttle(PAUSE_S, clock)
        self.promised_bytes = 0
        self.max_expected_bytes = 0
        """At least what all uploads are expected to bring; kept because the exact sum costs a look at each of them."""
        self._numbers = count()
        self._running: set[UploadProgress] = set()
        self._resting: dict[str, UploadProgress] = {}

    @property
    def available_bytes(self) -> int:
        """Free disk space less the reserve and what is promised already."""
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize - self._reserve_bytes - self.promised_bytes

    # --- uploads in progress --------------------------------------------------------------------------------------

    def uploads(self) -> Iterator[UploadProgress]:
        """The uploads in progress, and those that rest."""
        return chain(self._running, self._resting.values())

    def begin_upload(self, name: str, expected: ExpectedUpload, here: int) -> UploadProgress:
        """Follow an upload, of which `here` bytes are on the disk. One that rested continues with its rate and rank."""
        left = expected.max_bytes if expected.announced_bytes is None else expected.announced_bytes
        rank = (expected.since_s, next(self._numbers))
        progress = UploadProgress(name, expected.client, expected.announced_bytes, here, left, rank, self.clock())
        if (before := self._resting.pop(name, None)) is not None:
            self.max_expected_bytes -= before.max_expected
            progress.rank, progress.began_s, progress.brought = before.rank, before.began_s, before.brought
        self._running.add(progress)
        self._update(progress)
        return progress

    def _update(self, progress: UploadProgress) -> None:
        max_expected = min(progress.left, max(STEP_BYTES, FOLD * progress.here))
        self.max_expected_bytes += max_expected - progress.max_expected
        progress.max_expected = max_expected

    def end_upload(self, progress: UploadProgress, *, rests: bool) -> None:
        """Stop following the upload. One that `rests` keeps its place for a moment, if it has brought something."""
        if progress not in self._running:
            return
        self._running.remove(progress)
        if rests and progress.left > 0 and progress.here >= STEP_BYTES and progress.name not in self._resting:
            progress.rested_s = self.clock()
            self._resting[progress.name] = progress
        else:
            self.max_expected_bytes -= progress.max_expected
        self._forget_rested()

    def _forget_rested(self) -> None:
        last_s = self.clock() - self.rests_s
        while self._resting and (name := next(iter(self._resting))) and self._resting[name].rested_s < last_s:
            self.max_expected_bytes -= self._resting.pop(name).max_expected

    def promise_block(self, progress: UploadProgress, bytes_: int) -> None:
        """Promise the upload its next block. Raises DiskFull, with what was asked for."""
        self._refuse_beyond(self.available_bytes, bytes_, progress)
        self.promised_bytes += bytes_
        progress.left = max(0, progress.left - bytes_)
        self._update(progress)

    def note_written(self, progress: UploadProgress, bytes_: int) -> None:
        """The block is on the disk, so the promise is kept."""
        self.promised_bytes -= bytes_
        progress.here += bytes_
        progress.brought += bytes_
        self._update(progress)

    # --- this host's own work -------------------------------------------------------------------------------------

    def promise(self, wanted_bytes: int) -> None:
        """Promise so many bytes at once. Raises DiskFull."""
        self._refuse_beyond(self.available_bytes, wanted_bytes, None)
        self.promised_bytes += wanted_bytes

    def promise_of_reserve(self, wanted_bytes: int) -> None:
        """The same, for a copy without which no size can be made, out of half of the reserve too.

        The other half is left for what the host has to write. What was evicted and is still open counts as used.
        """
        self._refuse_beyond(self.available_bytes + self._reserve_bytes // RESERVE_SHARE, wanted_bytes, None)
        self.promised_bytes += wanted_bytes

    def release(self, bytes_: int) -> None:
        """Withdraw a promise: the bytes were written, so the disk counts them, or they won't be."""
        self.promised_bytes -= bytes_

    # --- who may have how much ------------------------------------------------------------------------------------

    def check(self, wanted_bytes: int, progress: UploadProgress | None = None) -> None:
        """Raises DiskFull when so many bytes, of a new upload or more of this one, can't fit even after evictions."""
        self._refuse_beyond(self.available_bytes + self._evictable(), wanted_bytes, progress)

    def is_short_of(self, wanted_bytes: int, progress: UploadProgress | None = None) -> bool:
        """Whether so many bytes need an eviction first, or don't fit at all."""
        return not self._admits(self.available_bytes, wanted_bytes, progress)

    def goal(self, wanted_bytes: int, progress: UploadProgress | None = None) -> int:
        """How many bytes have to be available for so many to be admitted."""
        if _is_open(wanted_bytes, progress):
            return wanted_bytes * OPEN_SHARE
        return wanted_bytes + sum(self._ahead_of(progress).values())

    def _refuse_beyond(self, available: int, wanted_bytes: int, progress: UploadProgress | None) -> None:
        if self._admits(available, wanted_bytes, progress):
            return
        asked = wanted_bytes if progress is None else progress.announced or progress.here + wanted_bytes
        raise no_room(asked)

    def _admits(self, available: int, wanted_bytes: int, progress: UploadProgress | None) -> bool:
        if not wanted_bytes or wanted_bytes + self.max_expected_bytes <= available:  # enough for everybody
            return True
        is_open, open_share = _is_open(wanted_bytes, progress), max(0, available) // OPEN_SHARE
        if wanted_bytes > available or (is_open and wanted_bytes + open_share <= available):
            return wanted_bytes <= available
        ahead = self._ahead_of(progress)
        if not is_open:
            return wanted_bytes + sum(ahead.values()) <= available
        client_share = max(0, available) // CLIENT_SHARE
        kept_back = sum(min(client_share, expected) for expected in ahead.values())
        return wanted_bytes + min(open_share, kept_back) <= available

    def _ahead_of(self, progress: UploadProgress | None) -> Mapping[str, int]:
        """What uploads that began earlier are expected to bring, in bytes by client."""
        self._forget_rested()
        now_s, ahead, rank = self.clock(), defaultdict[str, int](int), None if progress is None else progress.rank
        for other in self.uploads():
            if rank is None or other.rank < rank:
                ahead[other.client] += other.expected(now_s)
        return ahead


def _is_open(wanted_bytes: int, progress: UploadProgress | None) -> bool:
    return wanted_bytes + (0 if progress is None else progress.here) <= OPEN_BYTES


def no_room(asked_bytes: int | None) -> DiskFull:
    """The refusal. It says what was asked for, where that is known, and never what is free: that would be a target."""
    needs = "more space" if asked_bytes is None else f"{asked_bytes:,} bytes"
    return DiskFull(f"There is not enough disk space: this upload needs {needs}. Try again later.", actual=asked_bytes)
