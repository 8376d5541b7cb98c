"""The outbox of purges: what a change makes stale in shared caches is enqueued with it."""

import pytest

from appliance.catalogue import Catalogue, PendingPurges, Purge
from appliance.domain.errors import Conflict
from tests.contract.catalogue.conftest import OpenCatalogue
from tests.support.rows import NOW_S, album, image, slug


async def tags(catalogue: Catalogue, now_s: int = NOW_S) -> dict[str, int]:
    """The tags that are due, and in how many rounds."""
    return {purge.tag: purge.rounds for purge in await catalogue.purges.due(now_s, 100)}


async def test_a_change_of_what_is_shown_is_purged_twice_and_an_expiry_once(open_catalogue: OpenCatalogue) -> None:
    async with open_catalogue(purging=True, clock=lambda: NOW_S) as catalogue:
        for number in range(6):
            await catalogue.images.add(image(number, expires_s=NOW_S))
        assert await tags(catalogue) == {}
        await catalogue.images.mark_shipped(slug(0), image(0).sha256)
        await catalogue.images.mark_prewarmed([slug(0)])
        assert await tags(catalogue) == {}
        await catalogue.images.change(slug(1), version=1, title="new")
        await catalogue.images.mark_original_only(slug(2), "too wide")
        await catalogue.images.mark_still(slug(3), "broken")
        await catalogue.images.end(slug(4), now_s=NOW_S, erase_after_s=NOW_S + 9)
        await catalogue.images.expire([slug(5)], now_s=NOW_S, erase_after_s=NOW_S)
        assert await tags(catalogue) == {slug(1): 2, slug(2): 2, slug(3): 2, slug(4): 2, slug(5): 1}


async def test_a_changed_album_is_purged_twice(open_catalogue: OpenCatalogue) -> None:
    async with open_catalogue(purging=True, clock=lambda: NOW_S) as catalogue:
        await catalogue.albums.add(album())
        await catalogue.albums.change(album(version=2))
        assert await tags(catalogue) == {slug(0): 2}


async def test_a_change_that_is_refused_enqueues_nothing(open_catalogue: OpenCatalogue) -> None:
    async with open_catalogue(purging=True) as catalogue:
        await catalogue.images.add(image())
        with pytest.raises(Conflict):
            await catalogue.images.change(slug(0), version=7, title="new")
        assert not catalogue.purges.pending.is_set()
        assert await tags(catalogue) == {}


async def test_a_catalogue_that_is_not_opened_for_purging_enqueues_nothing(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    await catalogue.images.change(slug(0), version=1, title="new")
    assert not catalogue.purges.pending.is_set()
    assert await tags(catalogue) == {}


async def test_who_waits_for_purges_is_woken(open_catalogue: OpenCatalogue) -> None:
    async with open_catalogue(purging=True) as catalogue:
        await catalogue.images.add(image())
        assert not catalogue.purges.pending.is_set()
        await catalogue.images.change(slug(0), version=1, title="new")
        assert catalogue.purges.pending.is_set()


async def test_a_purge_goes_after_its_last_round(open_catalogue: OpenCatalogue) -> None:
    async with open_catalogue(purging=True, clock=lambda: NOW_S) as catalogue:
        await catalogue.images.add(image())
        await catalogue.images.change(slug(0), version=1, title="new")
        first = await catalogue.purges.due(NOW_S, 10)
        await catalogue.purges.confirm(first, again_s=NOW_S + 60)
        assert await tags(catalogue, NOW_S + 59) == {}
        assert await tags(catalogue, NOW_S + 60) == {slug(0): 1}
        await catalogue.purges.confirm(await catalogue.purges.due(NOW_S + 60, 10), again_s=NOW_S + 120)
        assert await tags(catalogue, NOW_S + 999) == {}


async def test_a_tag_that_is_enqueued_again_while_it_is_purged_stays_due(open_catalogue: OpenCatalogue) -> None:
    async with open_catalogue(purging=True, clock=lambda: NOW_S) as catalogue:
        await catalogue.images.add(image())
        await catalogue.images.change(slug(0), version=1, title="new")
        before = await catalogue.purges.due(NOW_S, 10)
        await catalogue.images.change(slug(0), version=2, title="newer")
        await catalogue.purges.confirm(before, again_s=NOW_S + 60)
        assert await tags(catalogue) == {slug(0): 2}


async def test_purges_outlive_a_restart_and_come_oldest_first(open_catalogue: OpenCatalogue) -> None:
    for number in range(3):
        async with open_catalogue(purging=True, clock=lambda: NOW_S - number) as catalogue:  # noqa: B023
            await catalogue.images.add(image(number))
            await catalogue.images.change(slug(number), version=1, title="new")
    async with open_catalogue(purging=True) as catalogue:
        due = await catalogue.purges.due(NOW_S - 1, 10)
        assert [purge.tag for purge in due] == [slug(2), slug(1)]
        assert due[0] == Purge(slug(2), NOW_S - 2, 2, due[0].generation)
        assert [purge.tag for purge in await catalogue.purges.due(NOW_S, 1)] == [slug(2)]
        assert await catalogue.purges.count_pending(NOW_S) == PendingPurges(3, NOW_S - 2)
        assert await catalogue.purges.count_pending(NOW_S - 3) == PendingPurges(0, None)
