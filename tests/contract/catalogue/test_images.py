import asyncio
from dataclasses import replace

import pytest

from appliance.catalogue import MAX_BATCH, Catalogue
from appliance.domain.errors import Conflict, GoneImage, IdempotencyKeyInUse, InvalidField, UnknownImage
from appliance.domain.model import (
    ContentCredentials,
    Ending,
    IdempotencyRecord,
    Image,
    KeepMetadata,
    Location,
    Tombstone,
)
from tests.contract.catalogue.conftest import OpenCatalogue
from tests.support.rows import LATER, NOW_S, YEAR_S, image, slug

FULL = image(
    7, title="Größe", alt="ein Bild", frames=12, has_alpha=True, progressive=True, memory_bytes=2**40,
    original_only="too wide", location=Location.STORE, version=9, ended=Ending.EXPIRED, ended_s=5, erase_after_s=6,
)  # fmt: skip


@pytest.mark.parametrize("stored", [image(), FULL, image(1, sha256="not hex", token_hash="ABCD")])
async def test_an_image_comes_back_as_it_was_added(open_catalogue: OpenCatalogue, stored: Image) -> None:
    async with open_catalogue() as catalogue:
        await catalogue.images.add(stored)
        assert await catalogue.images.get(stored.slug) == stored
    async with open_catalogue() as catalogue:
        assert await catalogue.images.get(stored.slug) == stored


@pytest.mark.parametrize("keep", [None, *KeepMetadata])
@pytest.mark.parametrize("credentials", ContentCredentials)
async def test_an_image_remembers_what_became_of_its_metadata(
    open_catalogue: OpenCatalogue, keep: KeepMetadata | None, credentials: ContentCredentials
) -> None:
    made = image(keep_metadata=keep, content_credentials=credentials)
    async with open_catalogue() as catalogue:
        await catalogue.images.add(made)
    async with open_catalogue() as catalogue:
        assert await catalogue.images.get(made.slug) == made


async def test_an_unknown_slug_is_none(catalogue: Catalogue) -> None:
    assert await catalogue.images.get(slug(1)) is None


async def test_a_slug_is_given_once(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    with pytest.raises(Conflict):
        await catalogue.images.add(image(title="another"))
    assert await catalogue.images.get(slug(0)) == image()


async def test_an_idempotency_record_is_kept_with_its_image(catalogue: Catalogue) -> None:
    record = IdempotencyRecord("ab" * 32, slug(0), "cd" * 32, NOW_S)
    await catalogue.images.add(image(), record)
    assert await catalogue.idempotency.get("ab" * 32) == record
    assert await catalogue.idempotency.get("ef" * 32) is None


async def test_a_second_image_for_an_idempotency_key_is_not_added_at_all(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(0), IdempotencyRecord("ab" * 32, slug(0), "cd" * 32, NOW_S))
    with pytest.raises(IdempotencyKeyInUse):
        await catalogue.images.add(image(1), IdempotencyRecord("ab" * 32, slug(1), "cd" * 32, NOW_S))
    assert await catalogue.images.get(slug(1)) is None


async def test_a_change_takes_what_is_given_and_leaves_the_rest(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(title="before", alt="stays"))
    changed = await catalogue.images.change(slug(0), version=1, title=None, expires_s=NOW_S + 5)
    assert changed == image(title=None, alt="stays", expires_s=NOW_S + 5, version=2)
    assert await catalogue.images.get(slug(0)) == changed


async def test_of_two_changes_from_the_same_version_one_wins(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    results = await asyncio.gather(
        *(catalogue.images.change(slug(0), version=1, title=str(n)) for n in range(10)), return_exceptions=True
    )
    won = [result for result in results if isinstance(result, Image)]
    assert len(won) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 9
    assert await catalogue.images.get(slug(0)) == won[0]


async def test_original_only_and_still_keep_their_first_reason_at_the_next_start(open_catalogue: OpenCatalogue) -> None:
    async with open_catalogue() as catalogue:
        await catalogue.images.add(image(frames=9))
        await catalogue.images.mark_still(slug(0), "broken at its third frame")
        await catalogue.images.mark_still(slug(0), "another")
        await catalogue.images.mark_still(slug(1), "absent")
        await catalogue.images.mark_original_only(slug(0), "too wide")
        await catalogue.images.mark_original_only(slug(0), "another")
    async with open_catalogue() as catalogue:
        marked = image(frames=9, still="broken at its third frame", original_only="too wide", version=3)
        assert await catalogue.images.get(slug(0)) == marked


async def test_an_ended_image_is_not_marked(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(frames=9))
    ended = await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S)
    await catalogue.images.mark_still(slug(0), "broken")
    await catalogue.images.mark_original_only(slug(0), "too wide")
    assert await catalogue.images.get(slug(0)) == ended


async def test_an_end_that_is_meant_for_another_version_changes_nothing(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    changed = await catalogue.images.change(slug(0), version=1, title="x")
    with pytest.raises(Conflict):
        await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S, version=1)
    assert await catalogue.images.get(slug(0)) == changed
    ended = await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S, version=2)
    assert (ended.ended, ended.version) == (Ending.DELETED, 3)


async def test_a_deletion_for_good_can_not_be_undone(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    undoable = await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S + 10)
    final = await catalogue.images.end(slug(0), now_s=NOW_S + 1, erase_after_s=NOW_S + 99, for_good=True)
    assert (undoable.erase_after_s, final.erase_after_s) == (NOW_S + 10, NOW_S + 10)
    with pytest.raises(GoneImage):
        await catalogue.images.restore(slug(0), now_s=NOW_S, expires_s=None)
    await catalogue.images.confirm_erased(slug(0))


async def test_what_is_not_there_can_not_be_changed(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownImage):
        await catalogue.images.change(slug(0), version=1, title="x")
    with pytest.raises(UnknownImage):
        await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S)
    with pytest.raises(UnknownImage):
        await catalogue.images.restore(slug(0), now_s=NOW_S, expires_s=None)


async def test_original_only_keeps_its_first_reason(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(location=Location.STORE))
    await catalogue.images.mark_original_only(slug(0), "too wide")
    await catalogue.images.mark_original_only(slug(0), "another")
    await catalogue.images.mark_original_only(slug(1), "absent")
    marked = image(original_only="too wide", version=2, location=Location.STORE)
    assert await catalogue.images.get(slug(0)) == marked
    assert await catalogue.images.sidecars_due() == [marked]
    assert await catalogue.images.unwarmed() == []


async def test_a_deleted_image_is_shown_as_ended_and_can_not_be_changed(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    ended = await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S + 10)
    assert ended == image(ended=Ending.DELETED, ended_s=NOW_S, erase_after_s=NOW_S + 10, version=2)
    assert await catalogue.images.get(slug(0)) == ended
    assert await catalogue.images.end(slug(0), now_s=NOW_S + 9, erase_after_s=NOW_S + 99) == ended
    with pytest.raises(GoneImage):
        await catalogue.images.change(slug(0), version=2, title="x")


async def test_deleting_an_expired_image_never_keeps_its_bytes_longer(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(expires_s=NOW_S))
    await catalogue.images.expire([slug(0)], now_s=NOW_S, erase_after_s=NOW_S + 5)
    deleted = await catalogue.images.end(slug(0), now_s=NOW_S + 1, erase_after_s=NOW_S + 11)
    assert (deleted.ended, deleted.erase_after_s) == (Ending.DELETED, NOW_S + 5)


async def test_expiry_ends_only_what_is_due_still(catalogue: Catalogue) -> None:
    for number, expires_s in enumerate((NOW_S - 1, NOW_S, NOW_S + 1, NOW_S)):
        await catalogue.images.add(image(number, expires_s=expires_s))
    due = await catalogue.images.due(NOW_S)
    assert due == [slug(0), slug(1), slug(3)]
    await catalogue.images.change(slug(1), version=1, expires_s=NOW_S + YEAR_S)  # an extension that comes meanwhile
    expired = await catalogue.images.expire([*due, slug(2), slug(99)], now_s=NOW_S, erase_after_s=NOW_S + 7)
    assert {one.slug for one in expired} == {slug(0), slug(3)}
    assert all((one.ended, one.erase_after_s) == (Ending.EXPIRED, NOW_S + 7) for one in expired)
    assert await catalogue.images.due(NOW_S) == []
    assert await catalogue.images.expire(due, now_s=NOW_S, erase_after_s=0) == []


async def test_a_batch_has_a_limit(catalogue: Catalogue) -> None:
    with pytest.raises(InvalidField) as refusal:
        await catalogue.images.expire([slug(n) for n in range(MAX_BATCH + 1)], now_s=NOW_S, erase_after_s=NOW_S)
    assert (refusal.value.limit, refusal.value.actual) == (MAX_BATCH, MAX_BATCH + 1)


async def test_a_restored_image_is_due_for_prewarming_and_a_sidecar(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(location=Location.STORE))
    await catalogue.images.mark_prewarmed([slug(0)])
    await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S + 10)
    restored = await catalogue.images.restore(slug(0), now_s=NOW_S + 1, expires_s=None)
    assert restored == image(location=Location.STORE, version=3)
    assert await catalogue.images.get(slug(0)) == restored
    assert await catalogue.images.unwarmed() == await catalogue.images.sidecars_due() == [restored]


async def test_only_an_ended_image_with_time_left_can_be_restored(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(expires_s=NOW_S))
    with pytest.raises(Conflict):
        await catalogue.images.restore(slug(0), now_s=NOW_S - 9, expires_s=None)
    await catalogue.images.expire([slug(0)], now_s=NOW_S, erase_after_s=NOW_S + 9)
    with pytest.raises(Conflict):
        await catalogue.images.restore(slug(0), now_s=NOW_S, expires_s=None)
    assert (await catalogue.images.restore(slug(0), now_s=NOW_S, expires_s=NOW_S + 1)).ended is None


async def test_erasing_ends_in_a_tombstone_and_knows_no_way_back(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    assert not await catalogue.images.begin_erase(slug(0), LATER)
    with pytest.raises(Conflict):
        await catalogue.images.confirm_erased(slug(0))
    ended = await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S + 10)
    with pytest.raises(Conflict):
        await catalogue.images.confirm_erased(slug(0))
    assert await catalogue.images.erasable(NOW_S + 9) == []
    assert not await catalogue.images.begin_erase(slug(0), NOW_S + 9)
    assert await catalogue.images.erasable(NOW_S + 10) == [ended]
    assert await catalogue.images.begin_erase(slug(0), LATER)
    with pytest.raises(GoneImage):
        await catalogue.images.restore(slug(0), now_s=NOW_S, expires_s=None)
    assert await catalogue.images.erasable(NOW_S + 10) == [ended]  # until it is confirmed
    await catalogue.images.confirm_erased(slug(0))
    await catalogue.images.confirm_erased(slug(0))
    assert await catalogue.images.get(slug(0)) == Tombstone(slug(0), Ending.DELETED, NOW_S)
    assert await catalogue.images.erasable(NOW_S + 10) == []
    with pytest.raises(GoneImage):
        await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S)
    with pytest.raises(Conflict):
        await catalogue.images.add(image())


async def test_a_ship_that_ends_after_the_deletion_is_told(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    assert await catalogue.images.mark_shipped(slug(0), image(0).sha256)
    assert await catalogue.images.mark_shipped(slug(0), image(0).sha256)
    assert await catalogue.images.get(slug(0)) == replace(image(), location=Location.STORE)
    await catalogue.images.add(image(1))
    await catalogue.images.end(slug(1), now_s=NOW_S, erase_after_s=NOW_S)
    assert not await catalogue.images.mark_shipped(slug(1), image(1).sha256)
    assert not await catalogue.images.mark_shipped(slug(2), image(2).sha256)
