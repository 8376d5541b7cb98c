"""Resumable uploads in rows."""

from dataclasses import replace

import pytest

from appliance.catalogue import Catalogue
from appliance.domain.errors import Conflict
from appliance.domain.model import Ending, KeepMetadata, Location, Tombstone
from appliance.domain.resumable_uploads import Refusal, Upload, UploadKind, UploadState
from tests.contract.catalogue.conftest import OpenCatalogue
from tests.support.rows import NOW_S, image, slug, upload

REFUSAL = Refusal("too-large", "The file is too large.", limit=1, actual=2)


@pytest.mark.parametrize("kind", UploadKind)
@pytest.mark.parametrize("keep", KeepMetadata)
async def test_an_upload_comes_back_as_it_was_added(
    open_catalogue: OpenCatalogue, kind: UploadKind, keep: KeepMetadata
) -> None:
    added = upload(1, kind=kind, keep_metadata=keep, length=None, title="Größe", expires_in_s=60, metadata="a b")
    async with open_catalogue() as catalogue:
        await catalogue.uploads.add(added)
    async with open_catalogue() as catalogue:
        assert await catalogue.uploads.get(added.id_hash) == added
        assert await catalogue.uploads.by_slug(slug(1)) == added
        assert await catalogue.uploads.get(upload(2).id_hash) is None
        assert await catalogue.uploads.by_slug(slug(2)) is None


async def test_a_deferred_length_is_set_once(catalogue: Catalogue) -> None:
    added = upload(1, length=None)
    await catalogue.uploads.add(added)
    assert await catalogue.uploads.set_length(added.id_hash, 2**40)
    assert not await catalogue.uploads.set_length(added.id_hash, 5)
    assert not await catalogue.uploads.set_length(upload(2).id_hash, 5)
    assert await catalogue.uploads.get(added.id_hash) == replace(added, length=2**40)


async def test_an_open_upload_is_complete_once_that_is_recorded(catalogue: Catalogue) -> None:
    added = upload(1, length=None, is_open=True)
    await catalogue.uploads.add(added)
    assert await catalogue.uploads.complete(added.id_hash, 2**40)
    assert not await catalogue.uploads.complete(added.id_hash, 5)
    assert await catalogue.uploads.get(added.id_hash) == replace(added, length=2**40, is_open=False)


async def test_an_upload_that_is_not_open_or_has_ended_can_not_be_completed(catalogue: Catalogue) -> None:
    ended = upload(2, is_open=True)
    for added in (upload(1), ended):
        await catalogue.uploads.add(added)
    await catalogue.uploads.give_up(ended, now_s=NOW_S, kept_until_s=NOW_S + 5)
    assert not await catalogue.uploads.complete(upload(1).id_hash, 5)
    assert not await catalogue.uploads.complete(ended.id_hash, 5)


async def test_credentials_that_were_found_once_are_not_forgotten(catalogue: Catalogue) -> None:
    await catalogue.uploads.add(upload(1))
    await catalogue.uploads.set_edits(upload(1).id_hash, b"one", credentials=True)
    await catalogue.uploads.set_edits(upload(1).id_hash, b"two")
    found = await catalogue.uploads.get(upload(1).id_hash)
    assert found == upload(1, edits=b"two", had_credentials=True)


async def test_an_upload_is_done_in_the_moment_in_which_its_image_is_added(catalogue: Catalogue) -> None:
    await catalogue.uploads.add(upload(1))
    await catalogue.images.add(image(1), upload=upload(1), upload_kept_until_s=NOW_S + 5)
    assert await catalogue.uploads.get(upload(1).id_hash) == upload(1, state=UploadState.DONE, expires_s=NOW_S + 5)


async def test_an_upload_that_was_given_up_becomes_no_image(catalogue: Catalogue) -> None:
    await catalogue.uploads.add(upload(1))
    await catalogue.uploads.give_up(upload(1), now_s=NOW_S, kept_until_s=NOW_S + 5)
    with pytest.raises(Conflict):
        await catalogue.images.add(image(1), upload=upload(1))
    assert await catalogue.images.get(slug(1)) == Tombstone(slug(1), Ending.UNFINISHED, NOW_S)


async def test_a_refused_upload_keeps_its_reason_and_its_link_is_gone(catalogue: Catalogue) -> None:
    await catalogue.uploads.add(upload(1))
    assert await catalogue.images.get(slug(1)) is None
    assert await catalogue.uploads.refuse(upload(1), REFUSAL, now_s=NOW_S, kept_until_s=NOW_S + 5)
    found = await catalogue.uploads.get(upload(1).id_hash)
    assert found == upload(1, state=UploadState.REFUSED, refusal=REFUSAL, expires_s=NOW_S + 5)
    assert await catalogue.images.get(slug(1)) == Tombstone(slug(1), Ending.UNFINISHED, NOW_S)
    assert not await catalogue.uploads.refuse(upload(1), REFUSAL, now_s=NOW_S + 1, kept_until_s=NOW_S + 9)
    assert await catalogue.uploads.get(upload(1).id_hash) == found


async def test_what_was_written_with_an_upload_is_forgotten_when_it_is_given_up(catalogue: Catalogue) -> None:
    added = upload(1, title="a secret", alt="another", metadata="filename YQ==", concat="final;a b")
    await catalogue.uploads.add(added)
    assert await catalogue.uploads.give_up(added, now_s=NOW_S, kept_until_s=NOW_S + 5)
    blank = upload(1, filename="", state=UploadState.GONE, expires_s=NOW_S + 5)
    assert await catalogue.uploads.get(added.id_hash) == blank
    assert not await catalogue.uploads.give_up(added, now_s=NOW_S, kept_until_s=NOW_S + 9)


async def test_giving_up_an_upload_that_is_done_keeps_its_image_and_what_it_was_assembled_from(
    catalogue: Catalogue,
) -> None:
    added = upload(1, concat="final;a b")
    await catalogue.uploads.add(added)
    await catalogue.images.add(image(1), upload=added, upload_kept_until_s=NOW_S + 5)
    for _ in range(2):
        assert not await catalogue.uploads.give_up(added, now_s=NOW_S, kept_until_s=NOW_S + 9)
    assert await catalogue.images.get(slug(1)) == image(1)
    found = await catalogue.uploads.get(upload(1).id_hash)
    assert found is not None
    assert (found.state, found.filename, found.concat) == (UploadState.GONE, "", "final;a b")


async def test_a_slug_that_was_never_given_out_leaves_no_tombstone(catalogue: Catalogue) -> None:
    partial = upload(2, kind=UploadKind.PARTIAL, slug=None, token_hash=None)
    for added in (upload(1), partial):
        await catalogue.uploads.add(added)
        assert await catalogue.uploads.give_up(added, now_s=NOW_S, kept_until_s=NOW_S, for_good=False)
    assert await catalogue.images.get(slug(1)) is None


async def test_overdue_uploads_come_longest_overdue_first(catalogue: Catalogue) -> None:
    for number in range(4):
        await catalogue.uploads.add(upload(number, expires_s=NOW_S + 10 - number))
    await catalogue.uploads.keep_until(upload(3).id_hash, NOW_S + 99)
    await catalogue.uploads.give_up(upload(2), now_s=NOW_S, kept_until_s=NOW_S)
    overdue = await catalogue.uploads.due(NOW_S + 10)
    assert [one.id_hash for one in overdue] == [upload(1).id_hash, upload(0).id_hash]
    assert [one.id_hash for one in await catalogue.uploads.due(NOW_S + 10, limit=1)] == [upload(1).id_hash]
    later = await catalogue.uploads.due(NOW_S + 10, after_s=NOW_S + 9)
    assert [one.id_hash for one in later] == [upload(0).id_hash]
    assert await catalogue.uploads.count_unfinished(NOW_S + 9, 10) == 2
    assert await catalogue.uploads.count_unfinished(NOW_S, 2) == 2


async def test_ended_uploads_are_forgotten_when_they_were_kept_long_enough(catalogue: Catalogue) -> None:
    for number in range(3):
        await catalogue.uploads.add(upload(number, expires_s=NOW_S))
    for number in range(2):
        await catalogue.uploads.refuse(upload(number), REFUSAL, now_s=NOW_S, kept_until_s=NOW_S + number)
    assert await catalogue.uploads.forget(NOW_S) == 1
    left: list[Upload | None] = [await catalogue.uploads.get(upload(number).id_hash) for number in range(3)]
    assert [one is not None for one in left] == [False, True, True]  # the last one is being received


async def test_an_upload_is_remembered_as_long_as_a_node_alone_has_its_image(catalogue: Catalogue) -> None:
    added = upload(1)
    await catalogue.uploads.add(added)
    await catalogue.images.add(image(1, location=Location.SPOOL), upload=added, upload_kept_until_s=NOW_S)
    assert await catalogue.uploads.forget(NOW_S) == 0
    await catalogue.images.mark_shipped(slug(1), image(1).sha256)
    assert await catalogue.uploads.forget(NOW_S) == 1


async def test_an_upload_that_is_not_overdue_any_more_is_not_given_up_for_that(catalogue: Catalogue) -> None:
    added = upload(1, expires_s=NOW_S)
    await catalogue.uploads.add(added)
    assert await catalogue.uploads.keep_until(added.id_hash, NOW_S + 9)
    assert not await catalogue.uploads.give_up(added, now_s=NOW_S + 8, kept_until_s=NOW_S + 20, is_overdue=True)
    assert await catalogue.uploads.get(added.id_hash) == replace(added, expires_s=NOW_S + 9)
    assert await catalogue.uploads.give_up(added, now_s=NOW_S + 9, kept_until_s=NOW_S + 20, is_overdue=True)
    assert not await catalogue.uploads.keep_until(added.id_hash, NOW_S + 99)


async def test_parts_are_needed_until_the_store_has_what_was_assembled(catalogue: Catalogue) -> None:
    receiving, alive, binned, refused = (upload(number, kind=UploadKind.FINAL) for number in range(4))
    for added in (receiving, alive, binned, refused, upload(5)):
        await catalogue.uploads.add(added)
    for number, final in ((1, alive), (2, binned)):
        await catalogue.images.add(image(number, location=Location.SPOOL), upload=final, upload_kept_until_s=NOW_S)
    await catalogue.images.end(slug(2), now_s=NOW_S, erase_after_s=NOW_S + 60)
    await catalogue.uploads.refuse(refused, REFUSAL, now_s=NOW_S, kept_until_s=NOW_S)

    async def needing() -> set[str]:
        return {final.id_hash for final in await catalogue.uploads.needing_parts()}

    assert await needing() == {receiving.id_hash, alive.id_hash, binned.id_hash}
    await catalogue.images.mark_shipped(slug(1), image(1).sha256)
    await catalogue.images.begin_erase(slug(2), NOW_S + 60)
    await catalogue.images.confirm_erased(slug(2))
    await catalogue.uploads.give_up(receiving, now_s=NOW_S, kept_until_s=NOW_S)
    assert await needing() == set()
