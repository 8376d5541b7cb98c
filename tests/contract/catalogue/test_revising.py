"""Revising: what is known of a stored original changes, with its bytes or without them."""

from dataclasses import replace

import pytest

from appliance.catalogue import Catalogue
from appliance.domain.errors import Conflict, GoneImage, UnknownImage
from appliance.domain.model import ContentCredentials, Image, Location, PrivateData
from tests.contract.catalogue.conftest import OpenCatalogue
from tests.support.rows import LATER, NOW_S, changed, image, slug

STORED = image(location=Location.STORE, title="A cat")
KNOWN = changed(
    STORED, media_type="image/png", width=1, height=2, frames=3, has_alpha=True, progressive=True, memory_bytes=4,
    original_only="too wide", still="too long", incomplete=True, bytes=5, sha256="ab" * 32,
    private_data=PrivateData.REMOVED, content_credentials=ContentCredentials.REMOVED,
)  # fmt: skip


async def added(catalogue: Catalogue, stored: Image = STORED) -> None:
    await catalogue.images.add(stored)
    await catalogue.images.mark_prewarmed([stored.slug])


async def test_a_row_takes_what_is_known_now_as_its_next_version(open_catalogue: OpenCatalogue) -> None:
    async with open_catalogue() as catalogue:
        await added(catalogue)
        assert await catalogue.images.revise(KNOWN) == replace(KNOWN, version=2)
        assert [row.slug for row in await catalogue.images.sidecars_due()] == [slug(0)]
    async with open_catalogue() as catalogue:
        assert await catalogue.images.get(slug(0)) == replace(KNOWN, version=2)


async def test_nothing_but_what_is_known_of_the_original_is_taken(catalogue: Catalogue) -> None:
    await added(catalogue)
    other = replace(KNOWN, title="A dog", filename="dog.jpg", expires_s=LATER, location=Location.SPOOL)
    assert await catalogue.images.revise(other) == replace(KNOWN, version=2)


async def test_a_replaced_original_is_due_for_shipping(catalogue: Catalogue) -> None:
    await added(catalogue)
    revised = await catalogue.images.revise(KNOWN, is_replaced=True)
    assert revised.location is Location.SPOOL
    assert await catalogue.images.unshipped() == [revised]


async def test_an_image_is_prewarmed_again_only_where_viewers_see_something_else(catalogue: Catalogue) -> None:
    await added(catalogue)
    costlier = replace(STORED, facts=replace(STORED.facts, memory_bytes=1, progressive=True))
    revised = await catalogue.images.revise(costlier)
    assert await catalogue.images.unwarmed() == []
    wider = replace(revised, facts=replace(revised.facts, width=9999))
    revised = await catalogue.images.revise(wider)
    assert await catalogue.images.unwarmed() == [revised]


async def test_who_changed_or_ended_the_image_meanwhile_wins(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownImage):
        await catalogue.images.revise(KNOWN)
    await added(catalogue)
    titled = await catalogue.images.change(slug(0), version=1, title="Another")
    with pytest.raises(Conflict):
        await catalogue.images.revise(KNOWN)
    assert await catalogue.images.get(slug(0)) == titled
    await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=LATER)
    with pytest.raises(GoneImage):
        await catalogue.images.revise(replace(KNOWN, version=3))


async def test_shared_caches_forget_what_viewers_see_otherwise_or_what_has_other_bytes(
    open_catalogue: OpenCatalogue,
) -> None:
    async with open_catalogue(purging=True) as catalogue:
        for number in range(3):
            await added(catalogue, image(number, location=Location.STORE))
        costlier, wider, cleaned = (image(number, location=Location.STORE) for number in range(3))
        await catalogue.images.revise(replace(costlier, facts=replace(costlier.facts, memory_bytes=1)))
        await catalogue.images.revise(replace(wider, facts=replace(wider.facts, width=9999)))
        await catalogue.images.revise(replace(cleaned, sha256="ab" * 32), is_replaced=True)
        assert {purge.tag for purge in await catalogue.purges.due(LATER, 10)} == {slug(1), slug(2)}


async def test_tags_can_be_enqueued_by_themselves(open_catalogue: OpenCatalogue) -> None:
    async with open_catalogue(purging=True) as catalogue:
        await catalogue.purges.enqueue([slug(1), slug(2)])
        assert [(purge.tag, purge.rounds) for purge in await catalogue.purges.due(LATER, 10)] == [
            (slug(1), 2),
            (slug(2), 2),
        ]
    async with open_catalogue() as catalogue:
        await catalogue.purges.enqueue([slug(3)])
        assert slug(3) not in {purge.tag for purge in await catalogue.purges.due(LATER, 10)}
