"""What the store has to be told about deletions: each leaves a row, until the store knows of its version."""

from appliance.catalogue import Catalogue
from tests.support.rows import LATER, NOW_S, image, slug


async def deleted(catalogue: Catalogue, number: int) -> int:
    """Deletes an image; its version then."""
    await catalogue.images.add(image(number))
    return (await catalogue.images.end(slug(number), now_s=NOW_S, erase_after_s=NOW_S + 10)).version


async def test_a_deletion_is_due_until_the_store_knows_of_it(catalogue: Catalogue) -> None:
    versions = [await deleted(catalogue, number) for number in range(3)]
    assert await catalogue.images.tombstones_due(limit=2) == [slug(0), slug(1)]
    assert await catalogue.images.tombstones_due(after=slug(1)) == [slug(2)]
    assert await catalogue.images.mark_tombstone_written(slug(1), versions[1])
    assert not await catalogue.images.mark_tombstone_written(slug(1), versions[1])
    assert await catalogue.images.tombstones_due() == [slug(0), slug(2)]


async def test_a_restoration_is_due_though_the_deletion_was_told(catalogue: Catalogue) -> None:
    version = await deleted(catalogue, 0)
    restored = await catalogue.images.restore(slug(0), now_s=NOW_S, expires_s=None)
    assert not await catalogue.images.mark_tombstone_written(slug(0), version)
    assert await catalogue.images.tombstones_due() == [slug(0)]
    assert await catalogue.images.mark_tombstone_written(slug(0), restored.version)
    assert await catalogue.images.tombstones_due() == []


async def test_an_expiry_and_its_restoration_are_not_due(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(expires_s=NOW_S))
    await catalogue.images.expire([slug(0)], now_s=NOW_S, erase_after_s=NOW_S + 9)
    await catalogue.images.restore(slug(0), now_s=NOW_S, expires_s=LATER)
    assert await catalogue.images.tombstones_due() == []


async def test_a_later_deletion_may_erase_sooner_and_never_later(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S + 1000)
    sooner = await catalogue.images.end(slug(0), now_s=NOW_S + 5, erase_after_s=NOW_S + 15)
    assert (sooner.erase_after_s, sooner.version) == (NOW_S + 15, 3)
    assert await catalogue.images.end(slug(0), now_s=NOW_S + 6, erase_after_s=NOW_S + 16) == sooner


async def test_of_an_erased_image_nothing_is_due_any_more(catalogue: Catalogue) -> None:
    await deleted(catalogue, 0)
    await catalogue.images.begin_erase(slug(0), LATER)
    await catalogue.images.confirm_erased(slug(0))
    await catalogue.images.mark_tombstone_written(slug(0), None)
    assert await catalogue.images.tombstones_due() == []
