"""Guests add images to an album by its invite, within its limits and until it ends."""

import asyncio
import logging
from dataclasses import replace

import pytest
from aiohttp import FormData

from appliance.config.model import Access, AlbumsConfig, Config
from appliance.domain.tokens import hash_secret
from tests.support.access import BY_HEADER, Way, form
from tests.support.albums import delete, made, shown, slugs_of, uploaded
from tests.support.host import Host, ManualClock, OpenHost, bearer, problem, running
from tests.support.images import pictures
from tests.support.invites import BROWSER, add, album_with_invite, close, guest, invited, listed, make_invite, token_of
from tests.support.limits import only
from tests.support.tus_client import VERSION

PATCH = VERSION | {"Content-Type": "application/offset+octet-stream"}


@pytest.mark.parametrize("way", BY_HEADER)
async def test_an_image_is_added_at_the_end_of_the_album_however_it_comes(host: Host, jpeg: bytes, way: Way) -> None:
    album, invite = await album_with_invite(host)
    response = await way(host, jpeg, guest(invite))
    assert response.status in (200, 201), await response.text()
    before, after = slugs_of(album["images"]), slugs_of((await shown(host, album))["images"])
    assert after[:-1] == before
    row = await host.appliance.catalogue.images.get(after[-1])
    assert row is not None
    assert getattr(row, "invite", None) == invite["id"]
    [known] = await listed(host, album)
    assert (known["images"], known["bytes"], known["state"]) == (1, len(jpeg), "open")


async def test_a_guest_owns_what_they_added(host: Host, jpeg: bytes) -> None:
    album, invite = await album_with_invite(host)
    image = await (await add(host, invite, jpeg)).json()
    assert (await host.delete(image["slug"], image["delete_token"])).status == 204
    assert slugs_of((await shown(host, album))["images"]) == slugs_of(album["images"])
    [known] = await listed(host, album)
    assert known["images"] == 1, "what was deleted stays counted"


async def test_guests_need_no_key(open_host: OpenHost, config: Config, jpeg: bytes) -> None:
    clock = ManualClock()
    async with running(config, clock) as host:
        album, invite = await album_with_invite(host)
    async with running(replace(config, access=Access(uploads=("key",))), clock) as host:
        await problem(await host.client.post("/api/v1/images", data=jpeg), "key-required")
        assert (await add(host, invite, jpeg)).status == 201
        assert (await host.client.post("/api/v1/images", data=form(jpeg, invite=token_of(invite)))).status == 201
        assert len((await shown(host, album))["images"]) == 3


async def test_the_field_comes_before_the_file(host: Host, jpeg: bytes) -> None:
    _, invite = await album_with_invite(host)
    late = FormData()
    late.add_field("file", jpeg, filename="a.jpg", content_type="image/jpeg")
    late.add_field("invite", token_of(invite))
    await problem(await host.client.post("/api/v1/images", data=late), "invalid-field")


async def test_parallel_uploads_do_not_pass_the_limit(host: Host) -> None:
    album, invite = await album_with_invite(host, max_images=3)
    files = [pictures.photo(50 + number, 40, seed=number) for number in range(8)]
    statuses = [response.status for response in await asyncio.gather(*(add(host, invite, data) for data in files))]
    assert sorted(statuses) == [201] * 3 + [403] * 5
    assert len((await shown(host, album))["images"]) == 4
    [known] = await listed(host, album)
    assert (known["images"], known["state"]) == (3, "full")
    answer = await problem(await add(host, invite, files[0]), "invite-full")
    assert (answer["limit"], answer["actual"]) == (3, 4)
    page = await host.client.get(f"/c/{token_of(invite)}", headers=BROWSER)
    assert page.status == 403


async def test_the_size_of_all_images_is_limited(host: Host, jpeg: bytes) -> None:
    _, invite = await album_with_invite(host, max_bytes=len(jpeg) + 1)
    assert (await add(host, invite, jpeg)).status == 201
    assert (await problem(await add(host, invite, jpeg), "invite-full"))["limit"] == len(jpeg) + 1


async def test_a_full_album_takes_no_more(config: Config, jpeg: bytes) -> None:
    async with running(replace(config, albums=AlbumsConfig(max_images=2)), ManualClock()) as host:
        album, invite = await album_with_invite(host)
        assert invite["max_images"] == 2
        assert (await add(host, invite, jpeg)).status == 201
        answer = await problem(await add(host, invite, jpeg), "invite-full")
        assert answer["detail"] == "The album is full: it can have up to 2 images."
        [known] = await listed(host, album)
        assert known["state"] == "full"


async def test_an_invite_ends_by_its_time_by_its_owner_and_with_its_album(host: Host, jpeg: bytes) -> None:
    album, timed = await album_with_invite(host, expires_in="1h")
    closed, left = await invited(host, album), await invited(host, album)
    for _ in range(2):
        assert (await close(host, album, closed)).status == 204
    host.clock.forward(3600)
    assert [each["state"] for each in await listed(host, album)].count("open") == 1
    assert (await add(host, left, jpeg)).status == 201
    assert (await delete(host, album)).status == 204
    details = set()
    for invite in (timed, closed, left):
        details.add((await problem(await add(host, invite, jpeg), "invite-gone"))["detail"])
        page = await host.client.get(f"/c/{token_of(invite)}", headers=BROWSER)
        assert (page.status, page.content_type) == (410, "text/html")
    assert len(details) == 3
    await problem(await add(host, {"url": "/c/none"}, jpeg), "unknown-invite")


async def test_closing_ends_an_upload_that_is_under_way(host: Host, jpeg: bytes) -> None:
    album, invite = await album_with_invite(host)
    created = await host.client.post(
        "/api/v1/uploads", headers=VERSION | {"Upload-Length": str(len(jpeg))} | guest(invite)
    )
    path = created.headers["Location"]
    sent = await host.client.patch(path, data=jpeg[:100], headers=PATCH | {"Upload-Offset": "0"})
    assert sent.status == 204
    assert (await close(host, album, invite)).status == 204
    rest = PATCH | {"Upload-Offset": "100"}
    await problem(await host.client.patch(path, data=jpeg[100:], headers=rest | guest(invite)), "invite-gone")
    await problem(await host.client.patch(path, data=jpeg[100:], headers=rest), "invite-gone")
    assert (await (await host.client.get(path)).json())["problem"]["code"] == "invite-gone"
    assert slugs_of((await shown(host, album))["images"]) == slugs_of(album["images"])


async def test_the_token_is_kept_nowhere(host: Host, jpeg: bytes, caplog: pytest.LogCaptureFixture) -> None:
    album, invite = await album_with_invite(host)
    with caplog.at_level(logging.DEBUG):
        page = await host.client.get(f"/c/{token_of(invite)}", headers=BROWSER)
        await host.client.post(f"/c/{token_of(invite)}", data=form(jpeg), headers=BROWSER)
    assert token_of(invite) not in caplog.text
    assert "/c/…" in caplog.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert page.headers["Cache-Control"] == "no-store"
    [known] = await listed(host, album)
    assert token_of(invite) not in str(known)
    found = await host.appliance.catalogue.invites.get(invite["id"])
    assert found is not None
    assert found[0].token_hash == hash_secret(token_of(invite))


async def test_only_the_owner_makes_and_closes_invites(host: Host) -> None:
    album, invite = await album_with_invite(host)
    other, _ = await album_with_invite(host)
    await problem(await make_invite(host, album, token=""), "token-required")
    await problem(await make_invite(host, album, token="wrong"), "token-wrong")
    await problem(await close(host, other, invite), "unknown-invite")
    path = f"/api/v1/albums/{album['slug']}/invites"
    await problem(await host.client.get(path), "token-required")
    await problem(await host.client.delete(f"{path}/{invite['id']}", headers=bearer("wrong")), "token-wrong")
    for members in ({"max_images": 0}, {"max_images": 10**9}, {"max_bytes": True}, {"sees": "all"}, {"until": 1}):
        await problem(await make_invite(host, album, **members), "invalid-field")
    await problem(await make_invite(host, album, expires_in=-1), "invalid-expiry")
    made = await invited(host, album)
    assert made["url"].startswith(f"{host.appliance.config.server.base_url}/c/")
    assert made["qr"].startswith("data:image/svg+xml;base64,")
    assert (made["max_images"], made["max_bytes"], made["sees"]) == (200, 2_000_000_000, "nothing")


async def test_all_guests_of_a_link_share_limits_and_so_do_their_addresses(config: Config, jpeg: bytes) -> None:
    clock = ManualClock()
    async with running(config, clock) as host:
        album, invite = await album_with_invite(host)
        other = await invited(host, album)
    for limits, of_the_link in ((only(key_uploads=1), True), (only(address_uploads=1), False)):
        async with running(replace(config, limits=limits), clock) as host:
            assert (await add(host, invite, jpeg)).status == 201
            await problem(await add(host, invite, jpeg), "rate-limited")
            assert ((await add(host, other, jpeg)).status == 201) is of_the_link


async def test_a_repeat_is_answered_though_the_link_is_full(host: Host, jpeg: bytes) -> None:
    album, invite = await album_with_invite(host, max_images=1)
    headers = guest(invite) | {"Idempotency-Key": "the first one that is sent"}
    replies = [await host.client.post("/api/v1/images", data=jpeg, headers=headers) for _ in range(2)]
    assert [reply.status for reply in replies] == [201, 201]
    assert await replies[0].json() == await replies[1].json()
    await problem(await add(host, invite, jpeg), "invite-full")
    assert len((await shown(host, album))["images"]) == 2


async def test_a_link_that_would_be_open_for_too_long_is_told_as_such(host: Host) -> None:
    album = await made(host, await uploaded(host, 1))
    refused = await problem(await make_invite(host, album, expires_in="9999d"), "invalid-expiry")
    assert refused["detail"].startswith("A guest link can be open for 1 second to ")
