"""What the store has to be told about locks that came after the upload: with each change of one, in its transaction."""

from typing import Any

from appliance.catalogue import Catalogue
from appliance.catalogue.values import UNCHANGED
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.image_locks import record_of
from appliance.domain.model import Image
from tests.support.rows import NOW_S, image, slug

NOTHING: dict[str, Any] = {"title": UNCHANGED, "alt": UNCHANGED, "expires_s": UNCHANGED}


async def change(catalogue: Catalogue, before: Image, **changes: Any) -> Image:
    wanted = NOTHING | {"lock": UNCHANGED, "one_view": UNCHANGED} | changes
    return await catalogue.images.change(before.slug, version=before.version, **wanted)


async def test_a_lock_and_one_view_are_due_with_the_change_that_made_them(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    locked = await change(catalogue, image(), lock="$argon2id$1")
    assert await catalogue.records.due() == [record_of(locked)]
    again = await change(catalogue, locked, lock="$argon2id$2", one_view=True)
    [due] = await catalogue.records.due()
    assert (due.version, due.fields) == (again.version, {"lock": "$argon2id$2", "one_view": True})


async def test_a_change_of_something_else_is_not_due(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    await change(catalogue, image(), title="Cat")
    assert await catalogue.records.due() == []


async def test_nothing_is_left_of_a_lock_that_was_removed_or_whose_image_was_erased(catalogue: Catalogue) -> None:
    await catalogue.images.add(image())
    locked = await change(catalogue, image(), lock="$argon2id$1")
    opened = await change(catalogue, locked, lock=None)
    gone = AccessRecord(RecordKind.LOCK, slug(0), opened.version, None)
    assert await catalogue.records.due() == [gone]
    await catalogue.records.confirm(gone)
    relocked = await change(catalogue, opened, lock="$argon2id$3")
    await catalogue.records.confirm(record_of(relocked))
    ended = await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S, for_good=True)
    await catalogue.images.confirm_erased(slug(0))
    assert await catalogue.records.due() == [AccessRecord(RecordKind.LOCK, slug(0), ended.version + 1, None)]
