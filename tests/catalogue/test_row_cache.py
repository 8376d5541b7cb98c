import asyncio

from appliance.catalogue.sql.rows import Row
from appliance.catalogue.sqlite.row_cache import RowCache
from tests.support.rows import image, slug


async def _fail(_: str) -> Row | None:
    raise AssertionError("the file was read")


async def test_the_least_recently_used_row_goes_first() -> None:
    cache = RowCache(2)
    cache.settle({slug(0): image(0), slug(1): image(1)})
    assert await cache.get(slug(0), _fail) == image(0)
    cache.settle({slug(2): image(2)})
    assert slug(1) not in cache
    assert await cache.get(slug(0), _fail) == image(0)
    assert len(cache) == 2


async def test_unknown_slugs_take_no_room() -> None:
    cache = RowCache(2)

    async def find_nothing(_: str) -> Row | None:
        return None

    assert await cache.get(slug(0), find_nothing) is None
    assert len(cache) == 0


async def test_those_who_wait_for_the_same_row_share_one_reading() -> None:
    cache, readings, go_on = RowCache(9), 0, asyncio.Event()

    async def read(_: str) -> Row | None:
        nonlocal readings
        readings += 1
        await go_on.wait()
        return image()

    waiting = [asyncio.create_task(cache.get(slug(0), read)) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    go_on.set()
    assert await asyncio.gather(*waiting[1:]) == [image()] * 4
    assert readings == 1
    assert await cache.get(slug(0), _fail) == image()


async def test_a_row_read_before_a_change_is_not_kept_after_it() -> None:
    cache, go_on = RowCache(9), asyncio.Event()

    async def read_slowly(_: str) -> Row | None:
        await go_on.wait()
        return image(title="old")

    async def read_new(_: str) -> Row | None:
        return image(title="new")

    slow = asyncio.create_task(cache.get(slug(0), read_slowly))
    await asyncio.sleep(0)
    cache.settle({slug(0): None})
    fresh = cache.get(slug(0), read_new)
    assert await asyncio.wait_for(fresh, timeout=10) == image(title="new")  # does not join the older reading
    go_on.set()
    await slow
    assert await cache.get(slug(0), _fail) == image(title="new")


async def test_a_reading_that_fails_is_tried_again_by_the_next_one() -> None:
    cache = RowCache(9)
    for _ in range(2):
        results = await asyncio.gather(cache.get(slug(0), _fail), return_exceptions=True)
        assert isinstance(results[0], AssertionError)
        await asyncio.sleep(0)
    assert slug(0) not in cache
