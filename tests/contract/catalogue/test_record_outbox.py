"""Access records that reach the store after a newer one: the newest is due again, whatever it is about."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from appliance.catalogue import Catalogue
from appliance.domain import access_keys, bans, image_locks, invites
from appliance.domain.access_keys import AccessKey, Scope
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.bans import Ban
from appliance.domain.invites import Invite
from tests.support.rows import LATER, NOW_S, image, slug

KEY = AccessKey("0123456789", "scanner", "ab" * 32, (Scope.UPLOAD,), NOW_S)
BAN = Ban("192.0.2.0/24", "Spam.", NOW_S, LATER)
INVITE = Invite("invite0000", slug(900), "cd" * 32, NOW_S, LATER, 9, 10**9)

Change = Callable[[Catalogue], Awaitable[AccessRecord]]


async def added_key(catalogue: Catalogue) -> AccessRecord:
    await catalogue.keys.add(KEY)
    return access_keys.record_of(KEY)


async def revoked_key(catalogue: Catalogue) -> AccessRecord:
    return access_keys.record_of(await catalogue.keys.change(KEY.id, lambda key: replace(key, revoked_s=NOW_S)))


async def made_ban(catalogue: Catalogue) -> AccessRecord:
    return bans.record_of(await catalogue.bans.put(BAN))


async def removed_ban(catalogue: Catalogue) -> AccessRecord:
    return bans.record_of(await catalogue.bans.end(BAN.subject, NOW_S))


async def forgotten_ban(catalogue: Catalogue) -> AccessRecord:
    await catalogue.bans.forget(LATER + 1)
    return AccessRecord(RecordKind.BAN, BAN.id, 2, None)


async def added_invite(catalogue: Catalogue) -> AccessRecord:
    await catalogue.invites.add(INVITE, max_invites=9)
    return invites.record_of(INVITE)


async def closed_invite(catalogue: Catalogue) -> AccessRecord:
    return invites.record_of(await catalogue.invites.close(INVITE.id, NOW_S))


async def locked_image(catalogue: Catalogue) -> AccessRecord:
    await catalogue.images.add(image())
    return image_locks.record_of(await catalogue.images.change(slug(0), version=1, lock="$argon2id$1"))


async def image_of_another_passphrase(catalogue: Catalogue) -> AccessRecord:
    return image_locks.record_of(await catalogue.images.change(slug(0), version=2, lock="$argon2id$2"))


async def opened_image(catalogue: Catalogue) -> AccessRecord:
    return image_locks.record_of(await catalogue.images.change(slug(0), version=2, lock=None))


CHANGES = [
    (added_key, revoked_key),
    (made_ban, removed_ban),
    (made_ban, forgotten_ban),
    (added_invite, closed_invite),
    (locked_image, image_of_another_passphrase),
    (locked_image, opened_image),
]
changes = pytest.mark.parametrize(("first", "second"), CHANGES, ids=[second.__name__ for _, second in CHANGES])


@changes
async def test_a_record_that_comes_after_a_newer_one_makes_that_due_again(
    catalogue: Catalogue, first: Change, second: Change
) -> None:
    older, newer = await first(catalogue), await second(catalogue)
    assert await catalogue.records.confirm(newer) is None
    assert await catalogue.records.confirm(older) == newer
    assert await catalogue.records.due() == [newer]
    assert await catalogue.records.confirm(newer) is None
    assert await catalogue.records.due() == []


@changes
async def test_a_record_that_may_come_late_makes_the_newer_one_due_again(
    catalogue: Catalogue, first: Change, second: Change
) -> None:
    older, newer = await first(catalogue), await second(catalogue)
    await catalogue.records.confirm(newer)
    await catalogue.records.enqueue_newer(newer)
    assert await catalogue.records.due() == []
    await catalogue.records.enqueue_newer(older)
    assert await catalogue.records.due() == [newer]


async def test_confirming_a_record_names_the_newer_one_that_is_due(catalogue: Catalogue) -> None:
    older, newer = await added_key(catalogue), await revoked_key(catalogue)
    assert await catalogue.records.confirm(older) == newer
    assert await catalogue.records.due() == [newer]


async def test_a_record_that_two_nodes_have_written_is_confirmed_by_both(catalogue: Catalogue) -> None:
    record = await added_key(catalogue)
    assert await catalogue.records.confirm(record) is None
    assert await catalogue.records.confirm(record) is None
    assert await catalogue.records.due() == []
