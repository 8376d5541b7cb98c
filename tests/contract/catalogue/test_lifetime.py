"""Opening, stopping and sharing a catalogue."""

import asyncio

import pytest

from appliance.catalogue import Catalogue
from appliance.domain.errors import Stopping
from tests.contract.catalogue.conftest import OpenCatalogue
from tests.support.rows import NOW_S, image, slug


async def test_a_cancelled_caller_loses_neither_the_change_nor_the_next_one(catalogue: Catalogue) -> None:
    adding = asyncio.create_task(catalogue.images.add(image(0)))
    await asyncio.sleep(0)
    adding.cancel()
    await catalogue.images.add(image(1))
    assert await catalogue.images.get(slug(0)) == image(0)


async def test_stopping_saves_what_was_handed_over(open_catalogue: OpenCatalogue) -> None:
    catalogue = open_catalogue()
    await catalogue.start()
    adds = [asyncio.create_task(catalogue.images.add(image(number))) for number in range(300)]
    await asyncio.sleep(0)
    await catalogue.stop()
    await asyncio.gather(*adds)
    async with open_catalogue() as again:
        assert len(await again.images.page()) == 300


async def test_a_stopped_catalogue_says_so(catalogue: Catalogue) -> None:
    await catalogue.stop()
    await catalogue.stop()
    with pytest.raises(Stopping):
        await catalogue.images.add(image())
    with pytest.raises(Stopping):
        await catalogue.images.get(slug(0))


async def test_changes_to_one_image_are_shown_in_their_order(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    await asyncio.gather(
        catalogue.images.mark_shipped(slug(0), image(0).sha256),
        catalogue.images.change(slug(0), version=1, title="changed"),
        catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S + 1),
        catalogue.images.restore(slug(0), now_s=NOW_S, expires_s=None),
    )
    shown = await catalogue.images.get(slug(0))
    assert shown == (await catalogue.images.page())[0]


async def test_many_callers_read_and_write_at_once(catalogue: Catalogue) -> None:
    async def add_and_read(number: int) -> None:
        await catalogue.images.add(image(number))
        assert await catalogue.images.get(slug(number)) == image(number)

    await asyncio.gather(*map(add_and_read, range(100)))
    assert catalogue.fault is None


async def test_a_healthy_catalogue_has_no_fault(catalogue: Catalogue) -> None:
    assert catalogue.fault is None
