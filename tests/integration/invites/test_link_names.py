"""Where programs send a guest link: under no similar name is it overlooked, as if the image were for no album."""

import pytest
from aiohttp import FormData

from tests.support.access import form, minted
from tests.support.albums import shown
from tests.support.host import Host, problem
from tests.support.images import pictures
from tests.support.invites import album_with_invite, guest, invited, token_of
from tests.support.tus_client import Tus, encoded

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_whole_link_counts_as_its_token(shared: Host) -> None:
    album, invite = await album_with_invite(shared)
    for sent in (invite["url"], f"{invite['url']}/"):
        picture = pictures.photo(90, len(sent))
        reply = await shared.client.post("/api/v1/images", data=picture, headers={"X-Invite": sent})
        assert reply.status == 201
    assert len((await shown(shared, album))["images"]) == 3


@pytest.mark.parametrize("name", ["Invite", "x-invite-token", "X-Guest-Link", "Invitation"])
async def test_a_header_of_a_similar_name_is_refused(shared: Host, jpeg: bytes, name: str) -> None:
    _, invite = await album_with_invite(shared)
    for method, path in (("POST", "/api/v1/images"), ("PUT", "/cat.jpg"), ("POST", "/api/v1/uploads")):
        refused = await shared.client.request(method, path, data=jpeg, headers={name: token_of(invite)})
        assert refused.status == 400
        assert "X-Invite" in await refused.text()


@pytest.mark.parametrize("name", ["invite_token", "Invite", "guestLink", "X-Invite"])
async def test_a_field_of_a_similar_name_is_refused(shared: Host, jpeg: bytes, name: str) -> None:
    _, invite = await album_with_invite(shared)
    refused = await shared.client.post("/api/v1/images", data=form(jpeg, **{name: token_of(invite)}))
    assert "called invite" in (await problem(refused, "invalid-field"))["detail"]
    from_a_file = FormData()
    from_a_file.add_field(name, token_of(invite).encode(), filename="link.txt")
    from_a_file.add_field("file", jpeg, filename="a.jpg")
    await problem(await shared.client.post("/api/v1/images", data=from_a_file), "invalid-field")


async def test_neither_the_address_nor_metadata_is_a_place_for_a_guest_link(shared: Host, jpeg: bytes) -> None:
    _, invite = await album_with_invite(shared)
    refused = await shared.client.post(f"/api/v1/images?invite={token_of(invite)}", data=jpeg)
    assert "X-Invite" in (await problem(refused, "invalid-field"))["detail"]
    refused = await Tus(shared).post(9, headers={"Upload-Metadata": encoded(invite=token_of(invite))})
    assert "X-Invite" in await refused.text()
    assert refused.status == 400


async def test_two_guest_links_or_keys_that_differ_are_refused(shared: Host, jpeg: bytes) -> None:
    album, invite = await album_with_invite(shared)
    other = await invited(shared, album)
    fields = form(jpeg, invite=token_of(other))
    await problem(await shared.client.post("/api/v1/images", data=fields, headers=guest(invite)), "invalid-field")
    same = form(jpeg, invite=token_of(invite))
    assert (await shared.client.post("/api/v1/images", data=same, headers=guest(invite))).status == 201
    keys = [await minted(shared, name) for name in ("one of two", "two of two")]
    fields = form(jpeg, key=keys[0])
    refused = await shared.client.post("/api/v1/images", data=fields, headers={"X-API-Key": keys[1]})
    assert "several" in (await problem(refused, "key-invalid"))["detail"]
    both = FormData([("key", keys[0]), ("key", keys[1])])
    both.add_field("file", jpeg, filename="a.jpg")
    await problem(await shared.client.post("/api/v1/images", data=both), "key-invalid")
