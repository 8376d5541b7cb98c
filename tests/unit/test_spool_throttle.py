"""Which upload pauses for which while bytes arrive: counted in pauses, not in time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.shared.throttle import Throttle
from appliance.spool import Spool
from appliance.spool.transfers import BUFFER_BYTES, SMALL_BYTES
from tests.support.spool import PLENTY, received, slug


class CountingThrottle(Throttle):
    """Counts the blocks of large and of small uploads; nothing pauses."""

    def __init__(self) -> None:
        super().__init__(pause_s=0.0)
        self.asked = self.came = 0

    def delay_s(self) -> float:
        self.asked += 1
        return super().delay_s()

    def note_small(self) -> None:
        self.came += 1


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path, budget_bytes=1000, reserve_bytes=0)
    spool.room.throttle = CountingThrottle()
    await spool.start()
    yield spool
    await spool.close()


def counted(spool: Spool) -> CountingThrottle:
    assert isinstance(spool.room.throttle, CountingThrottle)
    return spool.room.throttle


async def test_a_small_file_never_pauses_and_is_noted_at_its_beginning_and_with_each_block(spool: Spool) -> None:
    await received(spool, slug(1), b"x" * 1000)
    assert (counted(spool).asked, counted(spool).came) == (0, 2)


async def test_a_large_file_pauses_before_each_block_beyond_what_counts_as_small(spool: Spool) -> None:
    async def large() -> AsyncIterator[bytes]:
        for _ in range(SMALL_BYTES // BUFFER_BYTES + 5):
            yield bytes(BUFFER_BYTES)

    await spool.receive(slug(1), large(), announced_bytes=None, max_bytes=PLENTY)
    assert counted(spool).asked == 5
    assert counted(spool).came == 1 + SMALL_BYTES // BUFFER_BYTES
