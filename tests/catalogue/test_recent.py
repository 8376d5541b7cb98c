import asyncio

from appliance.catalogue import MISS, Catalogue
from appliance.catalogue.row_cache import RecentRows
from appliance.catalogue.rows import Row
from tests.support.rows import LATER, NOW_S, image, slug


async def _nothing(_: str) -> Row | None:
    raise AssertionError("the file was read")


async def test_the_least_recently_used_row_goes_first() -> None:
    recent = RecentRows(2)
    recent.settle({slug(0): image(0), slug(1): image(1)})
    recent.peek(slug(0))
    recent.settle({slug(2): image(2)})
    assert recent.peek(slug(1)) is MISS
    assert recent.peek(slug(0)) == image(0)
    assert len(recent) == 2


async def test_those_who_wait_for_the_same_row_share_one_reading() -> None:
    recent, readings, go_on = RecentRows(9), 0, asyncio.Event()

    async def read(_: str) -> Row | None:
        nonlocal readings
        readings += 1
        await go_on.wait()
        return image()

    waiting = [asyncio.create_task(recent.read_through(slug(0), read)) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    go_on.set()
    assert await asyncio.gather(*waiting[1:]) == [image()] * 4
    assert readings == 1
    assert recent.peek(slug(0)) == image()


async def test_a_row_read_before_a_change_is_not_kept_after_it() -> None:
    recent, go_on = RecentRows(9), asyncio.Event()

    async def read_slowly(_: str) -> Row | None:
        await go_on.wait()
        return image(title="old")

    async def read_new(_: str) -> Row | None:
        return image(title="new")

    slow = asyncio.create_task(recent.read_through(slug(0), read_slowly))
    await asyncio.sleep(0)
    recent.settle({slug(0): None})
    fresh = recent.read_through(slug(0), read_new)
    assert await asyncio.wait_for(fresh, timeout=10) == image(title="new")  # does not join the older reading
    go_on.set()
    await slow
    assert recent.peek(slug(0)) == image(title="new")


async def test_a_reading_that_fails_is_tried_again_by_the_next_one() -> None:
    recent = RecentRows(9)
    for _ in range(2):
        results = await asyncio.gather(recent.read_through(slug(0), _nothing), return_exceptions=True)
        assert isinstance(results[0], AssertionError)
        await asyncio.sleep(0)
    assert recent.peek(slug(0)) is MISS


async def test_a_hit_is_answered_without_an_await(catalogue: Catalogue) -> None:
    await catalogue.add(image())
    assert catalogue.peek(slug(0)) == image()
    await catalogue.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S)
    await catalogue.begin_erase(slug(0), LATER)
    await catalogue.confirm_erased(slug(0))
    assert catalogue.peek(slug(0)) is MISS
