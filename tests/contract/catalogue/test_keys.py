"""Access keys: rows, records of each change for the store, and what is counted with each image."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.catalogue import Catalogue
from appliance.domain.access_keys import AccessKey, KeyLimits, KeyUsage, Scope, day_of, key_of, record_of
from appliance.domain.access_records import RecordKind
from appliance.domain.errors import (
    BudgetSpent,
    Conflict,
    KeyExpired,
    KeyInvalid,
    KeyRevoked,
    KeyUsedUp,
    TooLarge,
    UnknownKey,
)
from tests.support.rows import LATER, NOW_S, image, slug

TODAY = day_of(NOW_S)


def key(number: int = 0, **fields: Any) -> AccessKey:
    values: dict[str, Any] = {
        "id": f"key{number:07d}",
        "name": f"key {number}",
        "secret_hash": f"{number:064x}",
        "scopes": (Scope.UPLOAD, Scope.MANAGE),
        "created_s": NOW_S,
        "limits": KeyLimits(max_images=3),
    }
    return AccessKey(**values | fields)


async def test_a_key_is_kept_whole_and_its_record_is_due(catalogue: Catalogue) -> None:
    full = key(expires_s=LATER, limits=KeyLimits(1, 2, 3, 4, 5, 6, 7), former_hash="f" * 64)
    await catalogue.keys.add(full)
    await catalogue.keys.add(key(1))
    assert await catalogue.keys.get(full.id) == full
    assert await catalogue.keys.all() == [full, key(1)]
    assert await catalogue.keys.get("nobody") is None
    assert [key_of(record) for record in await catalogue.records.due()] == [full, key(1)]
    assert await catalogue.records.due(record_of(full)) == [record_of(key(1))]


async def test_a_confirmed_record_is_due_again_with_the_next_change(catalogue: Catalogue) -> None:
    await catalogue.keys.add(key())
    first = await catalogue.records.get(RecordKind.KEY, key().id)
    assert first is not None
    revoked = await catalogue.keys.change(key().id, lambda before: replace(before, revoked_s=NOW_S))
    assert revoked == replace(key(), revoked_s=NOW_S, version=2)
    await catalogue.records.confirm(first)
    [due] = await catalogue.records.due()
    assert key_of(due) == revoked
    await catalogue.records.confirm(due)
    assert await catalogue.records.due() == []
    with pytest.raises(UnknownKey):
        await catalogue.keys.change("nobody", lambda before: before)


async def test_a_name_is_free_again_once_its_key_is_revoked(catalogue: Catalogue) -> None:
    await catalogue.keys.add(key())
    with pytest.raises(Conflict):
        await catalogue.keys.add(key(1, name="key 0"))
    await catalogue.keys.change(key().id, lambda before: replace(before, revoked_s=NOW_S))
    await catalogue.keys.add(key(1, name="key 0"))


async def test_an_image_is_counted_with_its_key_until_it_is_erased(catalogue: Catalogue) -> None:
    await catalogue.keys.add(key())
    for number in range(3):
        await catalogue.images.add(image(number, bytes=10, created_s=NOW_S, access_key=key().id))
    assert await catalogue.keys.usage(key().id) == KeyUsage(3, 30, TODAY, 3, 30)
    await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S)
    assert (await catalogue.keys.usage(key().id)).images == 3
    await catalogue.images.begin_erase(slug(0), NOW_S)
    await catalogue.images.confirm_erased(slug(0))
    assert await catalogue.keys.usage(key().id) == KeyUsage(2, 20, TODAY, 3, 30)
    tomorrow = image(4, bytes=5, created_s=NOW_S + 86_400, access_key=key().id)
    await catalogue.images.add(tomorrow)
    assert await catalogue.keys.usage(key().id) == KeyUsage(3, 25, TODAY + 1, 1, 5)
    await catalogue.images.revise(replace(tomorrow, bytes=2), is_replaced=True)
    assert (await catalogue.keys.usage(key().id)).bytes == 22


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (KeyLimits(max_file_bytes=9), TooLarge),
        (KeyLimits(max_images=0), KeyUsedUp),
        (KeyLimits(max_bytes=9), KeyUsedUp),
        (KeyLimits(max_images_a_day=0), BudgetSpent),
        (KeyLimits(max_bytes_a_day=9), TooLarge),
    ],
)
async def test_an_image_beyond_a_limit_is_not_added(
    catalogue: Catalogue, limits: KeyLimits, error: type[Exception]
) -> None:
    await catalogue.keys.add(key(limits=limits))
    with pytest.raises(error):
        await catalogue.images.add(image(bytes=10, access_key=key().id))
    assert await catalogue.images.get(slug(0)) is None
    assert await catalogue.keys.usage(key().id) == KeyUsage()


async def test_nothing_is_added_with_a_key_that_has_ended(catalogue: Catalogue) -> None:
    await catalogue.keys.add(key())
    await catalogue.keys.add(key(1, expires_s=NOW_S))
    await catalogue.keys.change(key().id, lambda before: replace(before, revoked_s=NOW_S))
    for key_id, error in ((key().id, KeyRevoked), (key(1).id, KeyExpired), ("nobody", KeyInvalid)):
        with pytest.raises(error):
            await catalogue.images.add(image(access_key=key_id))
