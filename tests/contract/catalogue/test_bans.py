"""Bans: rows, and records of each change for the store."""

from dataclasses import replace

import pytest

from appliance.catalogue import Catalogue
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.bans import Ban, ban_of
from appliance.domain.errors import UnknownBan
from tests.support.rows import LATER, NOW_S

BAN = Ban("192.0.2.0/24", "Spam.", NOW_S, LATER, views=True)


async def test_a_ban_is_kept_whole_and_its_record_is_due(catalogue: Catalogue) -> None:
    assert await catalogue.bans.put(BAN) == BAN
    for_good = await catalogue.bans.put(Ban("key:0123456789", "", NOW_S))
    assert await catalogue.bans.all() == [BAN, for_good]
    assert [ban_of(record) for record in await catalogue.records.due()] == [BAN, for_good]


async def test_a_second_ban_of_the_same_replaces_the_first(catalogue: Catalogue) -> None:
    await catalogue.bans.put(BAN)
    changed = await catalogue.bans.put(replace(BAN, reason="More spam."))
    assert changed == replace(BAN, reason="More spam.", version=2)
    assert await catalogue.bans.all() == [changed]


async def test_a_ban_ends_once(catalogue: Catalogue) -> None:
    await catalogue.bans.put(BAN)
    ended = await catalogue.bans.end(BAN.subject, NOW_S)
    assert ended == replace(BAN, until_s=NOW_S, version=2)
    assert [ban_of(record) for record in await catalogue.records.due()] == [ended]
    for subject in (BAN.subject, "198.51.100.0/24", "key:../x"):
        with pytest.raises(UnknownBan):
            await catalogue.bans.end(subject, NOW_S)


async def test_a_ban_that_ended_long_ago_is_forgotten_and_can_be_made_again(catalogue: Catalogue) -> None:
    await catalogue.bans.put(BAN)
    await catalogue.bans.put(Ban("key:0123456789", "", NOW_S))
    assert await catalogue.bans.forget(LATER) == 0
    assert await catalogue.bans.forget(LATER + 1) == 1
    gone = AccessRecord(RecordKind.BAN, BAN.id, 2, None)
    assert await catalogue.records.get(RecordKind.BAN, BAN.id) == gone
    again = await catalogue.bans.put(BAN)
    assert again.version == 3
    due = await catalogue.records.get(RecordKind.BAN, BAN.id)
    assert due is not None
    assert ban_of(due) == again
