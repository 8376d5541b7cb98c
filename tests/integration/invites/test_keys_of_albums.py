"""A guest link of an album that was created with an access key lets in what that key may upload, and no more."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientResponse

from appliance.access.bans import NewBan
from appliance.config.model import Access
from appliance.domain.access_keys import AccessKey, KeyLimits, Scope
from tests.support.access import form, minted, only_image, raw
from tests.support.albums import Resource
from tests.support.host import Host, OpenHost, bearer, problem
from tests.support.images import pictures
from tests.support.invites import BROWSER, guest, invited, make_invite, token_of
from tests.support.tus_client import Tus

HOUR_S = 3600


@pytest.fixture
async def host(open_host: OpenHost) -> Host:
    return await open_host(access=Access(uploads=("key",)))


async def linked(host: Host, jpeg: bytes, **limits: Any) -> tuple[Resource, Resource]:
    """An album of one image, made with the key `scanner` of these limits, and a guest link to it."""
    key = bearer(await minted(host, limits=KeyLimits(**limits), expires_in_s=2 * HOUR_S))
    image = await (await raw(host, jpeg, key)).json()
    album = await (await host.client.post("/api/v1/albums", json={"images": [image["slug"]]}, headers=key)).json()
    return album, await invited(host, album, max_bytes=10**15, expires_in="30d")


def _limited(key: AccessKey, limits: dict[str, int]) -> AccessKey:
    return replace(key, limits=KeyLimits(**limits))


def _without_upload(key: AccessKey) -> AccessKey:
    return replace(key, scopes=(Scope.MANAGE,))


async def add(host: Host, link: Resource, seed: int, query: str = "") -> ClientResponse:
    return await host.client.post(f"/api/v1/images{query}", data=pictures.photo(seed=seed), headers=guest(link))


async def test_guests_count_for_the_key_of_the_album(host: Host, jpeg: bytes) -> None:
    _, link = await linked(host, jpeg, max_images=2, max_expiry_s=HOUR_S)
    await problem(await add(host, link, 2, "?expires_in=2h"), "invalid-expiry")
    assert (await add(host, link, 2)).status == 201
    image = await only_image(host)
    assert image.expires_s - image.created_s == HOUR_S
    await problem(await add(host, link, 3), "invite-full")
    [(_, usage)] = await host.appliance.access_keys.all()
    assert usage.images == 2


@pytest.mark.parametrize("limits", [{"max_images_a_day": 2}, {"max_file_bytes": 1}, {"max_bytes_a_day": 1}])
async def test_guests_keep_the_other_limits_of_the_key(host: Host, jpeg: bytes, limits: dict[str, int]) -> None:
    _, link = await linked(host, jpeg)
    [(key, _)] = await host.appliance.access_keys.all()
    await host.appliance.catalogue.keys.change(key.id, lambda known: _limited(known, limits))
    codes = [(await add(host, link, seed)).status for seed in (2, 3)]
    assert codes == ([201, 429] if "max_images_a_day" in limits else [413, 413])


async def test_a_resumable_upload_of_a_guest_counts_for_the_key(host: Host, jpeg: bytes) -> None:
    _, link = await linked(host, jpeg, max_images=2)
    tus, data = Tus(host), pictures.photo(seed=2)
    where = [await tus.created(await tus.post(len(data), headers=guest(link))) for _ in range(2)]
    replies = [await tus.patch(each, 0, data) for each in where]
    assert [reply.status for reply in replies] == [204, 403]


@pytest.mark.parametrize("end", ["revoked", "banned", "expired", "without scope"])
async def test_a_guest_link_ends_with_the_key_of_the_album(host: Host, jpeg: bytes, end: str) -> None:
    album, link = await linked(host, jpeg)
    if end == "revoked":
        await host.appliance.access_keys.revoke("scanner")
    elif end == "banned":
        await host.appliance.bans.add(NewBan("scanner"))
    elif end == "expired":
        host.clock.forward(2 * HOUR_S)
    else:
        [(key, _)] = await host.appliance.access_keys.all()
        await host.appliance.catalogue.keys.change(key.id, _without_upload)
    await problem(await add(host, link, 2), "invite-gone")
    assert (await host.get(f"/c/{token_of(link)}", **BROWSER)).status == 410
    again = await make_invite(host, album)
    code = {"revoked": "key-revoked", "banned": "banned", "expired": "key-expired", "without scope": "key-scope"}[end]
    await problem(again, code)


async def test_a_guest_with_a_key_that_may_upload_counts_for_that_one(host: Host, jpeg: bytes) -> None:
    _, link = await linked(host, jpeg, max_images=1)
    mine, other = await minted(host, "mine"), await minted(host, "other", scopes=(Scope.MANAGE,))
    data = pictures.photo(seed=2)
    assert (await raw(host, data, bearer(mine) | guest(link))).status == 201
    await problem(await raw(host, data, bearer(other) | guest(link)), "invite-full")


async def test_a_key_that_may_not_upload_keeps_no_guest_out_however_the_link_comes(host: Host, jpeg: bytes) -> None:
    _, link = await linked(host, jpeg)
    key = bearer(await minted(host, "looks", scopes=(Scope.MANAGE,)))
    by_field = form(pictures.photo(seed=2), invite=token_of(link))
    assert (await host.client.post("/api/v1/images", data=by_field, headers=key)).status == 201
    await problem(await host.client.post("/api/v1/images", data=form(pictures.photo(seed=3)), headers=key), "key-scope")
    assert len(await host.appliance.catalogue.images.page()) == 2
