"""How albums end: by their own expiry, with their last image, by their makers; and how they come back."""

import pytest

from appliance.domain.errors import ClockJumped
from tests.support.albums import BROWSER, changed, delete, made, manage, patch, shown, slugs_of, uploaded
from tests.support.host import DAY_S, Host, problem

YEAR_S = 365 * DAY_S


async def _gone(host: Host, album: dict[str, object]) -> dict[str, object]:
    await problem(await host.get(f"/a/{album['slug']}/zip"), "album-gone")
    await problem(await host.get(f"/a/{album['slug']}"), "album-gone")
    return await problem(await host.get(f"/api/v1/albums/{album['slug']}"), "album-gone")


async def _pass(host: Host, seconds: float) -> None:
    """Time goes by, and all jobs run."""
    host.clock.forward(seconds)
    await host.appliance.image_lifecycle.end(clock_confirmed=True)
    await host.appliance.image_lifecycle.erase()
    await host.appliance.album_lifecycle.end()
    await host.appliance.album_lifecycle.erase()


async def test_a_clock_that_jumps_ends_no_album_until_a_person_confirms_it(host: Host) -> None:
    album = await made(host, await uploaded(host, 1), expires_in="1d")
    assert await host.appliance.album_lifecycle.end() == 0
    host.clock.jump(40 * DAY_S)
    with pytest.raises(ClockJumped, match="clock-is-right"):
        await host.appliance.album_lifecycle.end()
    row = await host.appliance.catalogue.albums.get(album["slug"])
    assert row is not None
    assert row.ended is None
    await host.appliance.image_lifecycle.end(clock_confirmed=True)
    assert await host.appliance.album_lifecycle.end() == 1


async def test_a_deleted_image_leaves_the_album_and_returns_with_its_undo(host: Host) -> None:
    images = await uploaded(host, 3)
    album = await made(host, images)
    await host.delete(images[1]["slug"], images[1]["delete_token"])
    assert slugs_of((await shown(host, album))["images"]) == slugs_of([images[0], images[2]])
    await host.patch(images[1]["slug"], images[1]["delete_token"], deleted=False)
    assert slugs_of((await shown(host, album))["images"]) == slugs_of(images)


async def test_an_expired_image_leaves_the_album_and_returns_within_its_grace(host: Host) -> None:
    [short] = await uploaded(host, 1, expires_in="1d")
    [long] = await uploaded(host, 1)
    album = await made(host, [short, long])
    await _pass(host, DAY_S + 1)
    assert slugs_of((await shown(host, album))["images"]) == [long["slug"]]
    await changed(host, album, title="changed meanwhile")
    await host.patch(short["slug"], short["delete_token"], expires_in="1d")
    assert slugs_of((await shown(host, album))["images"]) == slugs_of([short, long])
    await _pass(host, 2 * DAY_S)
    await _pass(host, 8 * DAY_S)
    await changed(host, album, title="changed after it was erased")
    row = await host.appliance.catalogue.albums.get(album["slug"])
    assert row is not None
    assert row.images == (long["slug"],)


async def test_an_album_ends_with_its_last_image_and_returns_while_that_can_be_restored(host: Host) -> None:
    [image] = await uploaded(host, 1, expires_in="1d")
    album = await made(host, [image])
    await _pass(host, DAY_S + 60)
    told = await _gone(host, album)
    assert "All images" in str(told["detail"])
    await host.patch(image["slug"], image["delete_token"], expires_in="1d")
    assert (await shown(host, album))["images"][0]["slug"] == image["slug"]
    await _pass(host, DAY_S + 60)
    await _pass(host, 7 * DAY_S + 60)
    await _gone(host, album)
    row = await host.appliance.catalogue.albums.get(album["slug"])
    assert row is not None
    assert row.erased


async def test_the_album_ends_when_its_last_image_is_deleted(host: Host) -> None:
    [image] = await uploaded(host, 1)
    album = await made(host, [image])
    await host.delete(image["slug"], image["delete_token"])
    await _gone(host, album)
    await _pass(host, 11)
    await _gone(host, album)
    await problem(await patch(host, album, deleted=False), "album-gone")


async def test_an_album_whose_images_are_gone_accepts_new_ones(host: Host) -> None:
    first, second = await uploaded(host, 2)
    album = await made(host, [first])
    await host.delete(first["slug"], first["delete_token"])
    await _pass(host, 11)
    assert slugs_of((await changed(host, album, add=[second["slug"]]))["images"]) == [second["slug"]]


async def test_images_that_live_longer_than_planned_keep_the_album(host: Host) -> None:
    [image] = await uploaded(host, 1, expires_in="1d")
    album = await made(host, [image])
    await host.patch(image["slug"], image["delete_token"], expires_in="3d")
    await _pass(host, 2 * DAY_S)
    assert (await shown(host, album))["images"][0]["slug"] == image["slug"]
    row = await host.appliance.catalogue.albums.get(album["slug"])
    assert row is not None
    assert row.due_s > host.clock.now_s
    await _pass(host, 2 * DAY_S)
    await _gone(host, album)


async def test_its_own_expiry_ends_it_without_its_images_and_it_can_be_restored_within_its_grace(host: Host) -> None:
    images = await uploaded(host, 2)
    album = await made(host, images, expires_in="1d")
    host.clock.forward(DAY_S + 1)
    await _gone(host, album)  # before any job came by
    await problem(await patch(host, album, title="x"), "album-gone")
    await _pass(host, 60)
    await _gone(host, album)
    assert (await host.get(f"/i/{images[0]['slug']}/original")).status == 200
    back = await changed(host, album, deleted=False)
    assert back["own_expires_at"] is None
    assert slugs_of(back["images"]) == slugs_of(images)
    await changed(host, album, expires_in="1h")
    await _pass(host, 3601)
    assert (await changed(host, album, expires_in="1h"))["own_expires_at"]
    await _pass(host, 3601)
    await _pass(host, 7 * DAY_S + 60)
    await problem(await patch(host, album, expires_in="1h"), "album-gone")


async def test_deleting_can_be_undone_for_ten_seconds(host: Host) -> None:
    images = await uploaded(host, 2)
    album = await made(host, images, title="Kept", expires_in="30d")
    assert (await delete(host, album)).status == 204
    assert (await delete(host, album)).status == 204
    told = await _gone(host, album)
    assert "deleted by its owner" in str(told["detail"])
    await problem(await patch(host, album, title="x"), "album-gone")
    host.clock.forward(9)
    await host.appliance.album_lifecycle.erase()
    back = await changed(host, album, deleted=False)
    assert (back["title"], back["own_expires_at"]) == ("Kept", album["own_expires_at"])
    await delete(host, album)
    host.clock.forward(11)
    await problem(await patch(host, album, deleted=False), "album-gone")
    assert await host.appliance.album_lifecycle.erase() == 1
    await problem(await patch(host, album, deleted=False), "album-gone")
    await _gone(host, album)


async def test_what_is_left_of_an_erased_album_is_that_it_was_and_that_for_a_year(host: Host) -> None:
    album = await made(host, await uploaded(host, 2, expires_in="700d"), title="Secret plans")
    await host.appliance.album_lifecycle.sync_records()
    assert len(host.files("store/objects/albums")) == 1
    await delete(host, album)
    await _pass(host, 11)
    assert host.files("store/objects/albums") == []
    row = await host.appliance.catalogue.albums.get(album["slug"])
    assert row is not None
    assert (row.title, row.images, row.token_hash) == (None, (), "")
    await _pass(host, YEAR_S - 60)
    assert await host.appliance.album_lifecycle.forget() == 0
    await _gone(host, album)
    await _pass(host, 120)
    assert await host.appliance.album_lifecycle.forget() == 1
    await problem(await host.get(f"/a/{album['slug']}"), "album-not-found")


async def test_the_store_has_a_record_of_every_change_and_none_of_an_erased_album(host: Host) -> None:
    lifecycle = host.appliance.album_lifecycle
    album = await made(host, await uploaded(host, 2))
    assert await lifecycle.sync_records() == 1
    assert await lifecycle.sync_records() == 0
    await changed(host, album, title="Told anew")
    assert await lifecycle.sync_records() == 1
    [record] = host.files("store/objects/albums")
    assert "Told anew" in record.read_text()
    await delete(host, album)
    assert "deleted" in record.read_text()  # told before the answer
    assert await lifecycle.sync_records() == 0
    host.clock.forward(11)
    assert await lifecycle.erase() == 1
    assert await lifecycle.sync_records() == 0
    assert host.files("store/objects/albums") == []


async def test_a_record_that_is_put_after_the_erasing_is_removed(host: Host) -> None:
    album = await made(host, await uploaded(host, 1))
    lifecycle, store = host.appliance.album_lifecycle, host.appliance.store
    put_bytes = store.put_bytes

    async def late(key: str, data: bytes, *, media_type: str) -> None:
        await delete(host, album)
        host.clock.forward(11)
        await lifecycle.erase()
        await put_bytes(key, data, media_type=media_type)

    store.put_bytes = late  # type: ignore[method-assign]
    assert await lifecycle.sync_records() == 0
    assert host.files("store/objects/albums") == []


async def test_restoring_an_album_while_it_is_being_erased_wins(host: Host) -> None:
    album = await made(host, await uploaded(host, 1), expires_in="1d")
    await _pass(host, DAY_S + 1)
    lifecycle, store = host.appliance.album_lifecycle, host.appliance.store
    remove = store.delete

    async def slow(key: str) -> None:
        await remove(key)
        host.clock.forward(-DAY_S)
        await changed(host, album, deleted=False)

    store.delete = slow  # type: ignore[method-assign]
    host.clock.forward(7 * DAY_S + 1)
    assert await lifecycle.erase() == 0
    assert await shown(host, album)
    assert len(host.files("store/objects/albums")) == 1


async def test_an_expired_album_is_restored_by_form(host: Host) -> None:
    album = await made(host, await uploaded(host, 1), expires_in="1d")
    host.clock.forward(DAY_S + 1)
    for path in ("", "/manage", f"/{album['images'][0]['slug']}"):
        gone = await host.client.get(f"/a/{album['slug']}{path}", headers=BROWSER)
        assert gone.status == 410
        assert "Restore" in await gone.text()
    wrong = await manage(host, album, token="wrong", action="restore")
    assert wrong.status == 403
    assert "Restore" in await wrong.text()
    assert (await manage(host, album, action="restore")).status == 200
    assert await shown(host, album)


async def test_nothing_that_is_done_with_an_album_changes_its_images(host: Host) -> None:
    images = await uploaded(host, 2, expires_in="1d")
    album = await made(host, images, expires_in="30d")
    await changed(host, album, expires_in="60d", title="x")
    await delete(host, album)
    host.clock.forward(11)
    await host.appliance.album_lifecycle.erase()
    for image in images:
        now = await (await host.get(f"/api/v1/images/{image['slug']}")).json()
        assert now == {name: value for name, value in image.items() if name != "delete_token"}
