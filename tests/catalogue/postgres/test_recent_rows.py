import asyncio

import pytest

from appliance.catalogue.postgres import recent_rows
from appliance.catalogue.postgres.recent_rows import RecentRows
from appliance.catalogue.sql.rows import Row
from appliance.domain.errors import CatalogueUnavailable
from appliance.domain.model import Ending, Tombstone
from tests.support.rows import image, slug
from tests.support.waiting import until

STALE_S = 60


class Rows:
    """Rows in a database that can be out of reach, and two clocks."""

    def __init__(self, row: Row | None, max_rows: int = 2) -> None:
        self.row = row
        self.is_up = True
        self.now_s = self.age_s = 0.0
        self.asked = self.answered = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.memory = RecentRows(max_rows, STALE_S, lambda: self.now_s, lambda: self.age_s)

    async def get(self, name: str = slug(0)) -> Row | None:
        return await self.memory.get(name, self._read)

    @property
    def is_asked(self) -> bool:
        return self.asked > self.answered

    async def _read(self, _: str) -> Row | None:
        self.asked += 1
        await self.answers.wait()
        self.answered += 1
        if not self.is_up:
            raise CatalogueUnavailable
        return self.row


async def test_the_database_is_asked_each_time() -> None:
    rows = Rows(image())
    await rows.get()
    rows.row = Tombstone(slug(0), Ending.DELETED, 1)
    assert await rows.get() == rows.row
    assert rows.asked == 2


async def test_callers_at_the_same_time_ask_once() -> None:
    rows = Rows(image())
    first, second = await asyncio.gather(rows.get(), rows.get())
    assert first == second == image()
    assert rows.asked == 1


async def test_who_comes_while_the_database_is_asked_gets_what_it_says_after_that() -> None:
    rows = Rows(image())
    rows.answers.clear()

    async def read(_: str) -> Row | None:
        row, rows.asked = rows.row, rows.asked + 1
        await rows.answers.wait()
        return row

    before = asyncio.create_task(rows.memory.get(slug(0), read))
    await until(lambda: rows.asked == 1)
    rows.row = Tombstone(slug(0), Ending.DELETED, 1)
    after = [asyncio.create_task(rows.memory.get(slug(0), read)) for _ in range(3)]
    rows.answers.set()
    assert await before == image()
    assert await asyncio.gather(*after) == [rows.row] * 3
    assert rows.asked == 2


async def test_what_was_seen_lately_is_found_while_the_database_is_down_but_not_for_long() -> None:
    rows = Rows(image())
    await rows.get()
    rows.is_up = False
    rows.age_s = STALE_S
    assert await rows.get() == image()
    rows.age_s += 1
    with pytest.raises(CatalogueUnavailable):
        await rows.get()


@pytest.mark.parametrize("closed", [image(lock="a lock"), image(one_view=True)], ids=["locked", "one view"])
async def test_what_is_locked_or_has_one_view_is_only_shown_by_the_database_itself(closed: Row) -> None:
    rows = Rows(image())
    await rows.get()
    rows.row = closed
    await rows.get()
    rows.is_up = False
    with pytest.raises(CatalogueUnavailable):
        await rows.get()


async def test_no_image_outlives_its_expiry() -> None:
    rows = Rows(image(expires_s=100))
    await rows.get()
    rows.is_up = False
    rows.now_s = 99
    assert await rows.get() == image(expires_s=100)
    rows.now_s = 100
    with pytest.raises(CatalogueUnavailable):
        await rows.get()


async def test_a_change_counts_from_its_commit_on() -> None:
    rows = Rows(image())
    await rows.get()
    rows.is_up = False
    rows.memory.settle({slug(0): image(title="New")})
    assert await rows.get() == image(title="New")
    rows.memory.settle({slug(0): None})
    with pytest.raises(CatalogueUnavailable):
        await rows.get()


async def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_rows, "PATIENCE_S", 0.01)
    rows = Rows(image())
    await rows.get()
    rows.answers.clear()
    assert await rows.get() == image()
    monkeypatch.setattr(recent_rows, "PATIENCE_S", 3600)
    assert await rows.get() == image()
    rows.row = image(title="New")
    rows.answers.set()
    await until(lambda: not rows.is_asked)
    assert await rows.get() == image(title="New")


async def test_of_a_slow_database_nothing_that_is_kept_is_waited_for_until_it_is_quick_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = Rows(image())
    for number in range(2):
        await rows.get(slug(number))
    await answered_after(rows, recent_rows.PATIENCE_S + 1, slug(0))
    monkeypatch.setattr(recent_rows, "PATIENCE_S", 3600)
    rows.answers.clear()
    for number in (1, 0, 1):
        assert await rows.get(slug(number)) == image()
    rows.row = image(title="New")
    rows.answers.set()
    await until(lambda: not rows.is_asked)
    assert await rows.get(slug(1)) == image(title="New")


async def test_a_slow_database_is_asked_few_questions_that_nobody_waits_for() -> None:
    rows = Rows(image(), max_rows=100)
    for number in range(50):
        await rows.get(slug(number))
    await answered_after(rows, recent_rows.PATIENCE_S + 1, slug(0))
    rows.answers.clear()
    asked = rows.asked
    found = await asyncio.gather(*(rows.get(slug(number)) for number in range(50)))
    assert found == [image()] * 50
    await until(lambda: rows.asked == asked + recent_rows.MAX_ASKED)
    assert await asyncio.gather(*(rows.get(slug(number)) for number in range(50))) == [image()] * 50
    assert rows.asked == asked + recent_rows.MAX_ASKED
    rows.answers.set()
    await until(lambda: not rows.is_asked)


async def answered_after(rows: Rows, seconds: float, name: str) -> None:
    """The database takes so long for one answer."""
    rows.answers.clear()
    asking, asked = asyncio.create_task(rows.get(name)), rows.asked
    await until(lambda: rows.asked > asked)
    rows.age_s += seconds
    rows.answers.set()
    await asking


async def test_only_so_many_rows_are_kept() -> None:
    rows = Rows(image())
    for number in range(3):
        await rows.get(slug(number))
    rows.is_up = False
    with pytest.raises(CatalogueUnavailable):
        await rows.get(slug(0))
    assert await rows.get(slug(2)) is not None
