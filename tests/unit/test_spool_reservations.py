"""Room, whatever comes in whatever order: nothing is promised twice, somebody can always go on, all is given back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings, stateful
from hypothesis import strategies as st

from appliance.domain.errors import DiskFull
from appliance.spool.room import (
    FOLD,
    HORIZON_S,
    MEASURED_S,
    OPEN_BYTES,
    OPEN_SHARE,
    RESTS_S,
    STEP_BYTES,
    ExpectedUpload,
    Room,
    UploadProgress,
)

MB = 1 << 20
FREE = 400 * MB
SIZES = st.sampled_from([1, 1000, MB, 5 * MB, OPEN_BYTES, OPEN_BYTES + 1, 90 * MB, 250 * MB, FREE, 2 * FREE])


class Small(Room):
    """A disk of `FREE` bytes, of which `used` are written, and a clock that stands."""

    def __init__(self) -> None:
        self.used = 0
        self.now_s = 1000.0
        super().__init__(Path(), 0, clock=lambda: self.now_s)

    @property
    def available_bytes(self) -> int:
        return FREE - self.used - self.promised_bytes


@dataclass
class Sending:
    """An upload as the room sees it, and the block of it that is being written."""

    progress: UploadProgress
    whole: int
    is_resumable: bool
    block: int = 0


@dataclass
class Under:
    """Uploads under way in a small room."""

    room: Small = field(default_factory=Small)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**6)))

    def begun(self, announced: int, *, client: str = "a", brought: int = 0, lasted_s: float = 0.0) -> UploadProgress:
        """One that has brought so much in so many seconds."""
        name = str(next(self.numbers))
        progress = self.room.begin_upload(name, ExpectedUpload(announced, announced, client), 0)
        while progress.here < brought:
            block = min(MB, brought - progress.here)
            self.room.promise_block(progress, block)
            self.room.used += block
            self.room.note_written(progress, block)
        self.room.now_s += lasted_s
        return progress


@pytest.fixture
def under() -> Under:
    return Under()


def lets_in(room: Room, wanted: int) -> bool:
    try:
        room.check(wanted)
    except DiskFull:
        return False
    return True


# --- by example -------------------------------------------------------------------------------------------------------


def test_an_announcement_keeps_back_one_step(under: Under) -> None:
    under.begun(FREE)
    assert lets_in(under.room, FREE - STEP_BYTES)
    assert not lets_in(under.room, FREE - STEP_BYTES + 1)
    assert not lets_in(under.room, FREE + 1)


def test_an_upload_keeps_back_several_times_what_it_brought_and_never_more_than_it_announced(under: Under) -> None:
    progress = under.begun(300 * MB, brought=20 * MB)
    assert lets_in(under.room, FREE - 20 * MB - FOLD * 20 * MB)
    assert not lets_in(under.room, FREE - 20 * MB - FOLD * 20 * MB + 1)
    under.begun(FREE, brought=0)
    assert progress.expected(under.room.clock()) == FOLD * 20 * MB
    almost = under.begun(50 * MB, brought=49 * MB)
    assert almost.expected(under.room.clock()) == MB


def test_a_slow_upload_keeps_back_what_it_brings_in_an_hour(under: Under) -> None:
    under.begun(300 * MB, brought=20 * MB, lasted_s=100 * HORIZON_S)
    assert lets_in(under.room, FREE - 20 * MB - STEP_BYTES)


def test_a_burst_is_reckoned_as_if_it_had_lasted_a_minute(under: Under) -> None:
    progress = under.begun(FREE, brought=STEP_BYTES // 4)
    assert progress.expected(under.room.clock()) == min(STEP_BYTES, int(progress.brought * HORIZON_S / MEASURED_S))


def test_small_files_have_a_part_of_the_room_that_no_upload_keeps_from_them(under: Under) -> None:
    for number in range(5):
        under.begun(380 * MB, client=str(number), brought=15 * MB)
    under.room.used += under.room.available_bytes - 40 * MB
    assert not lets_in(under.room, OPEN_BYTES + 1)
    assert lets_in(under.room, OPEN_BYTES)
    under.room.used += 40 * MB - OPEN_BYTES
    assert lets_in(under.room, OPEN_BYTES // OPEN_SHARE)
    assert not lets_in(under.room, OPEN_BYTES // OPEN_SHARE + 1)


def test_of_one_address_a_quarter_is_kept_from_small_files(under: Under) -> None:
    for _ in range(5):
        under.begun(380 * MB, brought=15 * MB)
    under.room.used += under.room.available_bytes - OPEN_BYTES
    assert lets_in(under.room, OPEN_BYTES * 3 // 4)
    assert not lets_in(under.room, OPEN_BYTES * 3 // 4 + 1)


def test_between_two_requests_of_a_resumable_upload_its_place_is_kept_for_a_moment(under: Under) -> None:
    progress = under.begun(300 * MB, brought=50 * MB)
    under.room.end_upload(progress, rests=True)
    assert not lets_in(under.room, 200 * MB)
    again = under.room.begin_upload(progress.name, ExpectedUpload(250 * MB), 50 * MB)
    assert (again.brought, again.rank) == (50 * MB, progress.rank)
    under.room.end_upload(again, rests=True)
    under.room.now_s += RESTS_S + 1
    assert lets_in(under.room, 300 * MB)


# --- whatever comes ---------------------------------------------------------------------------------------------------


class Comings(stateful.RuleBasedStateMachine):
    """Clients begin, send, stall, come back and go away in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Small()
        self.sending: list[Sending] = []
        self.resting: list[Sending] = []
        self.claims: list[int] = []
        self.number = 0

    @staticmethod
    def _one(data: Any, among: list[Sending]) -> Sending:
        index: int = data.draw(st.integers(0, len(among) - 1))
        return among[index]

    @stateful.rule(whole=SIZES, client=st.sampled_from("abc"), is_announced=st.booleans(), is_resumable=st.booleans())
    def begin(self, whole: int, client: str, is_announced: bool, is_resumable: bool) -> None:
        before = self.room.available_bytes
        self.number += 1
        expected = ExpectedUpload(whole, whole if is_announced and not is_resumable else None, client, self.number // 3)
        progress = self.room.begin_upload(str(self.number), expected, 0)
        try:
            self.room.check(whole, progress)
        except DiskFull as fault:
            assert fault.limit is None
            assert fault.actual == whole
            assert whole > OPEN_BYTES or whole * OPEN_SHARE > before, "a small file has its part of the room"
            self.room.end_upload(progress, rests=False)
        else:
            assert whole <= before
            self.sending.append(Sending(progress, whole, is_resumable))
        assert self.room.available_bytes == before, "words reserve nothing"

    @stateful.precondition(lambda self: any(not one.block and one.progress.left for one in self.sending))
    @stateful.rule(data=st.data(), size=st.sampled_from([1, 4096, MB, MB + 300_000]))
    def take(self, data: Any, size: int) -> None:
        one = self._one(data, [one for one in self.sending if not one.block and one.progress.left])
        block, before = min(size, one.progress.left), self.room.available_bytes
        first = min([*self.sending, *self.resting], key=lambda other: other.progress.rank)
        try:
            self.room.promise_block(one.progress, block)
        except DiskFull:
            assert one is not first or block > before, "who is first is let in as long as there is room at all"
            return
        assert block <= before
        one.block = block

    @stateful.precondition(lambda self: any(one.block for one in self.sending))
    @stateful.rule(data=st.data())
    def write(self, data: Any) -> None:
        one = self._one(data, [one for one in self.sending if one.block])
        self.room.used += one.block
        self.room.note_written(one.progress, one.block)
        one.block = 0

    @stateful.precondition(lambda self: self.sending)
    @stateful.rule(data=st.data())
    def break_off(self, data: Any) -> None:
        one = self._one(data, self.sending)
        self.sending.remove(one)
        self.room.release(one.block)
        one.block = 0
        self.room.end_upload(one.progress, rests=one.is_resumable)
        if not one.is_resumable:
            self.room.used -= one.progress.here
        elif one.progress.left:
            self.resting.append(one)

    @stateful.precondition(lambda self: self.resting)
    @stateful.rule(data=st.data())
    def come_back(self, data: Any) -> None:
        one = self._one(data, self.resting)
        self.resting.remove(one)
        expected = ExpectedUpload(one.whole - one.progress.here, None, one.progress.client, one.progress.rank[0])
        one.progress = self.room.begin_upload(one.progress.name, expected, one.progress.here)
        self.sending.append(one)

    @stateful.rule(bytes_=SIZES)
    def fetch_a_copy(self, bytes_: int) -> None:
        before = self.room.available_bytes
        try:
            self.room.promise(bytes_)
        except DiskFull:
            return
        assert bytes_ <= before
        self.claims.append(bytes_)

    @stateful.precondition(lambda self: self.claims)
    @stateful.rule()
    def have_the_copy(self) -> None:
        self.room.release(self.claims.pop())

    @stateful.rule(seconds=st.sampled_from([0.1, 5.0, RESTS_S + 1, HORIZON_S]))
    def wait(self, seconds: float) -> None:
        self.room.now_s += seconds

    @stateful.invariant()
    def never_more_than_there_is(self) -> None:
        assert self.room.used + self.room.promised_bytes <= FREE
        assert self.room.promised_bytes == sum(one.block for one in self.sending) + sum(self.claims)

    @stateful.invariant()
    def the_upper_bound_is_one(self) -> None:
        progresses = list(self.room.uploads())
        assert self.room.max_expected_bytes == sum(progress.max_expected for progress in progresses)
        assert all(progress.expected(self.room.now_s) <= progress.max_expected for progress in progresses)

    def teardown(self) -> None:
        while self.sending:
            one = self.sending.pop()
            self.room.release(one.block)
            self.room.end_upload(one.progress, rests=one.is_resumable)
        while self.claims:
            self.have_the_copy()
        self.room.now_s += RESTS_S + 1
        assert lets_in(self.room, self.room.available_bytes)
        assert self.room.promised_bytes == 0
        assert self.room.available_bytes == FREE - self.room.used
        assert self.room.max_expected_bytes == 0 or self.room.available_bytes >= self.room.max_expected_bytes


TestComings = Comings.TestCase
TestComings.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
