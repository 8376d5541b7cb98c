"""Invites: rows, records of each change for the store, and what is counted with each image that a guest adds."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.catalogue import Catalogue
from appliance.domain.access_records import RecordKind
from appliance.domain.errors import (
    AlbumFull,
    ClosedInvite,
    Conflict,
    EndedAlbumInvite,
    GoneInvite,
    InviteFull,
    UnknownInvite,
)
from appliance.domain.invites import Invite, InviteUsage, Sees, invite_of, record_of
from appliance.domain.model import Album, Ending
from tests.support.rows import LATER, NOW_S, image, slug

ALBUM = Album(slug(900), (slug(0),), "ab" * 32, NOW_S, LATER)


def invite(number: int = 0, **fields: Any) -> Invite:
    values: dict[str, Any] = {
        "id": f"inv{number:07d}",
        "album": ALBUM.slug,
        "token_hash": f"{number:064x}",
        "created_s": NOW_S + number,
        "expires_s": LATER,
        "max_images": 2,
        "max_bytes": 10**9,
    }
    return Invite(**values | fields)


async def test_an_invite_is_kept_whole_and_its_record_is_due(catalogue: Catalogue) -> None:
    full = invite(sees=Sees.OWN, closed_s=NOW_S)
    await catalogue.invites.add(full, max_invites=9)
    await catalogue.invites.add(invite(1), max_invites=9)
    nothing = InviteUsage()
    assert await catalogue.invites.get(full.id) == (full, nothing)
    assert await catalogue.invites.by_token(full.token_hash) == (full, nothing)
    assert await catalogue.invites.by_token("cd" * 32) is None
    assert list(await catalogue.invites.of_album(ALBUM.slug)) == [(invite(1), nothing), (full, nothing)]
    assert [invite_of(record) for record in await catalogue.records.due()] == [full, invite(1)]
    with pytest.raises(Conflict):
        await catalogue.invites.add(full, max_invites=9)


async def test_closing_counts_once(catalogue: Catalogue) -> None:
    await catalogue.invites.add(invite(), max_invites=9)
    closed = replace(invite(), closed_s=NOW_S + 5, version=2)
    assert await catalogue.invites.close(invite().id, NOW_S + 5) == closed
    assert await catalogue.invites.close(invite().id, NOW_S + 9) == closed
    assert await catalogue.records.get(RecordKind.INVITE, closed.id) == record_of(closed)
    with pytest.raises(UnknownInvite):
        await catalogue.invites.close("nobody", NOW_S)


async def test_one_more_than_an_album_may_have_takes_the_place_of_the_oldest_that_ended(catalogue: Catalogue) -> None:
    for number in range(3):
        await catalogue.invites.add(invite(number), max_invites=3)
    with pytest.raises(Conflict):
        await catalogue.invites.add(invite(3), max_invites=3)
    for number in (1, 2):
        await catalogue.invites.close(invite(number).id, NOW_S + 9)
    await catalogue.invites.add(invite(3), max_invites=3)
    left = [each.id for each, _ in await catalogue.invites.of_album(ALBUM.slug)]
    assert left == [invite(number).id for number in (3, 2, 0)]
    gone = await catalogue.records.get(RecordKind.INVITE, invite(1).id)
    assert gone is not None
    assert gone.fields is None


async def test_an_image_is_counted_and_in_the_album_in_the_moment_in_which_it_is_there(catalogue: Catalogue) -> None:
    await catalogue.albums.add(ALBUM)
    await catalogue.invites.add(invite(), max_invites=9)
    added = image(1, invite=invite().id, expires_s=LATER + 9)
    await catalogue.images.add(added, max_album_images=9)
    assert await catalogue.albums.get(ALBUM.slug) == replace(
        ALBUM, images=(slug(0), slug(1)), due_s=LATER + 9, version=2
    )
    assert await catalogue.invites.get(invite().id) == (invite(), InviteUsage(1, added.bytes))
    assert [album.slug for album in await catalogue.albums.sidecars_due()] == [ALBUM.slug]


@pytest.mark.parametrize(
    ("fields", "album", "max_images", "fault"),
    [
        ({"closed_s": NOW_S}, ALBUM, 9, ClosedInvite),
        ({"expires_s": NOW_S}, ALBUM, 9, GoneInvite),
        ({"max_images": 0}, ALBUM, 9, InviteFull),
        ({"max_bytes": 1}, ALBUM, 9, InviteFull),
        ({}, ALBUM, 1, AlbumFull),
        ({}, replace(ALBUM, ended=Ending.DELETED, ended_s=NOW_S, erase_after_s=LATER), 9, EndedAlbumInvite),
        ({}, replace(ALBUM, expires_s=NOW_S), 9, EndedAlbumInvite),
        ({"album": slug(901)}, ALBUM, 9, EndedAlbumInvite),
    ],
)
async def test_nothing_is_added_by_an_invite_that_allows_it_no_more(
    catalogue: Catalogue, fields: dict[str, Any], album: Album, max_images: int, fault: type[Exception]
) -> None:
    await catalogue.albums.add(album)
    await catalogue.invites.add(invite(**fields), max_invites=9)
    with pytest.raises(fault):
        await catalogue.images.add(image(1, invite=invite().id), max_album_images=max_images)
    assert await catalogue.images.get(slug(1)) is None
    assert await catalogue.albums.get(album.slug) == album
    assert await catalogue.invites.get(invite().id) == (invite(**fields), InviteUsage())


async def test_invites_are_forgotten_with_their_album(catalogue: Catalogue) -> None:
    await catalogue.albums.add(ALBUM)
    await catalogue.invites.add(invite(), max_invites=9)
    erased = replace(ALBUM, images=(), token_hash="", ended=Ending.DELETED, ended_s=NOW_S, version=2)
    await catalogue.albums.change(erased)
    assert await catalogue.invites.get(invite().id) is None
    with pytest.raises(UnknownInvite):
        await catalogue.images.add(image(1, invite=invite().id), max_album_images=9)
