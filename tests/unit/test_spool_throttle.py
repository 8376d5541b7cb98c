"""Who gives way to whom while bytes come in: counted in pauses, not in time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.shared.throttle import Pace
from appliance.spool import Spool
from appliance.spool.transfers import BUFFER_BYTES, SMALL_BYTES
from tests.unit.test_spool import PLENTY, received, slug


class Counted(Pace):
    """Asked before each block of a giant, and told of each small one; nothing pauses."""

    def __init__(self) -> None:
        super().__init__(pause_s=0.0)
        self.asked = self.came = 0

    def due_s(self) -> float:
        self.asked += 1
        return super().due_s()

    def small_came(self) -> None:
        self.came += 1


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path, budget_bytes=1000, reserve_bytes=0)
    spool.room.pace = Counted()
    await spool.start()
    yield spool
    await spool.close()


def counted(spool: Spool) -> Counted:
    assert isinstance(spool.room.pace, Counted)
    return spool.room.pace


async def test_a_small_file_gives_way_to_nobody_and_is_noticed_when_it_begins_and_when_it_comes(spool: Spool) -> None:
    await received(spool, slug(1), b"x" * 1000)
    assert (counted(spool).asked, counted(spool).came) == (0, 2)


async def test_a_giant_gives_way_before_each_block_beyond_what_counts_as_small(spool: Spool) -> None:
    async def giant() -> AsyncIterator[bytes]:
        for _ in range(SMALL_BYTES // BUFFER_BYTES + 5):
            yield bytes(BUFFER_BYTES)

    await spool.receive(slug(1), giant(), announced_bytes=None, max_bytes=PLENTY)
    assert counted(spool).asked == 5
    assert counted(spool).came == 1 + SMALL_BYTES // BUFFER_BYTES
