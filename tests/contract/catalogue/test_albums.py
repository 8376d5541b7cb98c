"""Albums in rows."""

import asyncio
from dataclasses import replace

import pytest

from appliance.catalogue import Catalogue
from appliance.domain.errors import Conflict, IdempotencyKeyInUse
from appliance.domain.model import Album, Ending, IdempotencyRecord
from tests.contract.catalogue.conftest import OpenCatalogue
from tests.support.rows import NOW_S, album, image, slug

KEY = IdempotencyRecord("ab" * 32, slug(0), "cd" * 32, NOW_S, "secret")


def erased(number: int, ended_s: int) -> Album:
    """What is left of an album that was erased."""
    return album(number, images=(), title=None, ended=Ending.DELETED, ended_s=ended_s, version=2)


@pytest.mark.parametrize(
    "stored",
    [
        album(),
        album(images=()),
        album(description="Two weeks", cover=slug(1)),
        album(ended=Ending.EXPIRED, ended_s=1, erase_after_s=2, expires_s=3),
    ],
)
async def test_an_album_comes_back_as_it_was_added(open_catalogue: OpenCatalogue, stored: Album) -> None:
    async with open_catalogue() as catalogue:
        await catalogue.albums.add(stored)
    async with open_catalogue() as catalogue:
        assert await catalogue.albums.get(stored.slug) == stored
        assert await catalogue.albums.get(slug(9)) is None


async def test_a_slug_is_given_once(catalogue: Catalogue) -> None:
    await catalogue.albums.add(album())
    with pytest.raises(Conflict):
        await catalogue.albums.add(album(title="another"))
    assert await catalogue.albums.get(slug(0)) == album()


async def test_a_second_album_for_an_idempotency_key_is_not_added_at_all(catalogue: Catalogue) -> None:
    await catalogue.albums.add(album(0), KEY)
    assert await catalogue.idempotency.get("ab" * 32) == KEY
    with pytest.raises(IdempotencyKeyInUse):
        await catalogue.albums.add(album(1), replace(KEY, slug=slug(1)))
    assert await catalogue.albums.get(slug(1)) is None
    assert await catalogue.idempotency.get("ab" * 32) == KEY


async def test_of_two_changes_from_the_same_version_one_wins(catalogue: Catalogue) -> None:
    await catalogue.albums.add(album())
    changes = [album(title=str(number), version=2) for number in range(5)]
    results = await asyncio.gather(*map(catalogue.albums.change, changes), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 4 + ["NoneType"]
    assert await catalogue.albums.get(slug(0)) == changes[results.index(None)]
    with pytest.raises(Conflict):
        await catalogue.albums.change(album(1, version=2))


async def test_images_come_in_the_order_asked_for_and_erased_ones_are_left_out(catalogue: Catalogue) -> None:
    for number in range(3):
        await catalogue.images.add(image(number))
    ended = await catalogue.images.end(slug(1), now_s=NOW_S, erase_after_s=NOW_S + 9)
    await catalogue.images.end(slug(2), now_s=NOW_S, erase_after_s=NOW_S, for_good=True)
    await catalogue.images.confirm_erased(slug(2))
    found = await catalogue.albums.images([slug(2), slug(1), slug(0), slug(9)])
    assert found == [ended, image(0)]
    assert await catalogue.albums.images([]) == []


async def test_albums_that_are_due_come_longest_overdue_first(catalogue: Catalogue) -> None:
    for number in range(4):
        await catalogue.albums.add(album(number, due_s=NOW_S + 10 - number))
    await catalogue.albums.change(album(3, version=2, ended=Ending.EXPIRED, ended_s=NOW_S, erase_after_s=NOW_S + 5))
    assert [one.slug for one in await catalogue.albums.due(NOW_S + 9)] == [slug(2), slug(1)]
    assert [one.slug for one in await catalogue.albums.due(NOW_S + 10, after_s=NOW_S + 8)] == [slug(1), slug(0)]
    assert [one.slug for one in await catalogue.albums.due(NOW_S + 10, limit=1)] == [slug(2)]


async def test_ended_albums_are_erasable_once_their_grace_is_over(catalogue: Catalogue) -> None:
    for number in range(3):
        ended = album(number, ended=Ending.DELETED, ended_s=NOW_S, erase_after_s=NOW_S + number)
        await catalogue.albums.add(ended)
    assert [one.slug for one in await catalogue.albums.erasable(NOW_S + 1)] == [slug(0), slug(1)]
    assert [one.slug for one in await catalogue.albums.erasable(NOW_S + 2, skipped=1)] == [slug(1), slug(2)]
    await catalogue.albums.change(erased(0, NOW_S))
    assert [one.slug for one in await catalogue.albums.erasable(NOW_S + 1)] == [slug(1)]


async def test_erased_albums_are_forgotten_after_a_while(catalogue: Catalogue) -> None:
    for number in range(3):
        await catalogue.albums.add(album(number))
    for number in range(2):
        await catalogue.albums.change(erased(number, NOW_S + number))
    assert await catalogue.albums.forget(NOW_S + 1) == 1
    assert await catalogue.albums.get(slug(0)) is None
    assert await catalogue.albums.get(slug(1)) == erased(1, NOW_S + 1)
    assert await catalogue.albums.get(slug(2)) == album(2)


async def test_a_record_is_due_until_the_store_has_this_version(catalogue: Catalogue) -> None:
    await catalogue.albums.add(album(0))
    await catalogue.albums.add(album(1))
    assert await catalogue.albums.sidecars_due(limit=1) == [album(0)]
    assert await catalogue.albums.sidecars_due(after=slug(0)) == [album(1)]
    await catalogue.albums.change(album(0, version=2))
    assert not await catalogue.albums.mark_sidecar_written(slug(0), 1)
    assert await catalogue.albums.mark_sidecar_written(slug(0), 2)
    await catalogue.albums.change(erased(1, NOW_S))
    assert await catalogue.albums.sidecars_due() == []
