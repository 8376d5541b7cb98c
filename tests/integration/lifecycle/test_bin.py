"""The bin: what is deleted into it is gone for everybody, and can be restored for days or deleted now by its owner."""

import asyncio
from typing import Any

import pytest

from appliance.config.model import Deletion
from tests.support.albums import changed as album_changed
from tests.support.albums import made, patch, uploaded
from tests.support.gates import gated, gone_everywhere
from tests.support.host import DAY_S, Host, OpenHost, bearer, problem
from tests.support.managed_images import changed, moment, original, status

WEEK_S = 7 * DAY_S


@pytest.fixture
async def image(host: Host, jpeg: bytes) -> dict[str, Any]:
    return await host.upload(jpeg, title="Cat")


async def test_an_image_in_the_bin_is_gone_and_can_be_restored_for_a_week(
    host: Host, image: dict[str, Any], jpeg: bytes
) -> None:
    assert await host.bin(image) == moment(host.clock() + WEEK_S)
    assert await status(host, image) == await status(host, image, "/small.jpg") == await status(host, image, "") == 410
    assert host.files("cache") == []
    host.clock.forward(WEEK_S - 1)
    assert await host.appliance.image_lifecycle.erase() == 0
    after = await changed(host, image, restore=True)
    assert (after["title"], after["expires_at"]) == ("Cat", image["expires_at"])
    assert await original(host, image["slug"]) == jpeg
    host.clock.forward(DAY_S)
    assert await host.appliance.image_lifecycle.erase() == 0


async def test_after_a_week_it_is_erased(host: Host, image: dict[str, Any]) -> None:
    await host.bin(image)
    host.clock.forward(WEEK_S)
    assert await host.appliance.image_lifecycle.erase() == 1
    await problem(await host.patch(image["slug"], image["delete_token"], restore=True), "gone")
    await gone_everywhere(host, image["slug"])


async def test_a_deletion_without_the_bin_erases_what_is_in_it(host: Host, image: dict[str, Any]) -> None:
    await host.bin(image)
    assert (await host.delete(image["slug"], image["delete_token"])).status == 204
    assert await host.bin(image) == moment(host.clock() + 10)  # the earlier time counts
    assert await host.erase() == 1
    await gone_everywhere(host, image["slug"])
    assert host.counted("deleted_total") == 1


async def test_only_the_owner_learns_until_when_it_can_be_restored(
    host: Host, image: dict[str, Any], jpeg: bytes
) -> None:
    until, path = await host.bin(image), f"/api/v1/images/{image['slug']}"
    other = await host.upload(jpeg)
    for token, told in ((image["delete_token"], until), (other["delete_token"], None), (None, None)):
        gone = await problem(await host.client.get(path, headers=bearer(token)), "gone")
        assert gone.get("restorable_until") == told
    refused = await problem(await host.patch(image["slug"], image["delete_token"]), "gone")
    assert refused["restorable_until"] == until
    assert "restorable_until" not in await problem(await host.get(f"/i/{image['slug']}/small.jpg"), "gone")


async def test_a_takedown_empties_the_bin(host: Host, image: dict[str, Any]) -> None:
    await host.bin(image)
    await host.appliance.management.take_down(image["slug"])
    assert await host.appliance.image_lifecycle.erase() == 1
    await problem(await host.patch(image["slug"], image["delete_token"], restore=True), "gone")


async def test_an_expired_image_stays_in_the_bin_no_longer_than_its_grace(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg, expires_in="1d")
    host.clock.forward(DAY_S)
    await host.appliance.image_lifecycle.end()
    host.clock.forward(2 * DAY_S)
    assert await host.bin(image) == moment(host.clock() + 5 * DAY_S)
    assert (await host.patch(image["slug"], image["delete_token"], restore=True)).status == 200


async def test_without_a_bin_it_is_undone_within_ten_seconds(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host(deletion=Deletion(bin_days=0))
    image = await host.upload(jpeg)
    assert (await (await host.get("/api/v1/limits")).json())["deletion"] == {"bin_days": 0}
    assert await host.bin(image) == moment(host.clock() + 10)
    await changed(host, image, restore=True)
    await host.bin(image)
    assert await host.erase() == 1


async def test_a_cancelled_upload_is_in_no_bin_and_nonsense_is_refused(host: Host, image: dict[str, Any]) -> None:
    reply = await host.delete(image["slug"], image["delete_token"], bin="perhaps")
    await problem(reply, "invalid-field")
    await problem(await host.patch(image["slug"], image["delete_token"], restore=False), "invalid-field")
    assert await status(host, image) == 200


async def test_an_empty_change_shows_whether_the_token_is_right_and_changes_nothing(
    host: Host, image: dict[str, Any]
) -> None:
    before = await host.appliance.catalogue.images.get(image["slug"])
    assert (await host.patch(image["slug"], image["delete_token"])).status == 200
    await problem(await host.patch(image["slug"], "x" * 22), "token-wrong")
    assert await host.appliance.catalogue.images.get(image["slug"]) == before


async def test_a_restoration_that_meets_a_deletion_leaves_the_store_as_the_row_is(
    host: Host, image: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tombstone of the deletion is put late, when the image is restored already."""
    held = gated(monkeypatch, host.appliance.store, "put_bytes")
    deleting = asyncio.create_task(host.bin(image))
    await held.reached.wait()
    restoring = asyncio.create_task(host.patch(image["slug"], image["delete_token"], restore=True))
    await asyncio.sleep(0.05)
    held.open()
    await deleting
    assert (await restoring).status == 200
    assert host.files("store/objects/tombstones") == []
    assert await host.appliance.catalogue.images.tombstones_due() == []


# --- albums -----------------------------------------------------------------------------------------------------------


async def test_an_album_in_the_bin_is_gone_and_can_be_restored_for_a_week(host: Host) -> None:
    album = await made(host, await uploaded(host, 2), title="Trip")
    until, path = await host.bin(album, "albums"), f"/api/v1/albums/{album['slug']}"
    assert until == moment(host.clock() + WEEK_S)
    gone = await problem(await host.client.get(path, headers=bearer(album["delete_token"])), "album-gone")
    assert gone["restorable_until"] == until
    assert "restorable_until" not in await problem(await host.get(path), "album-gone")
    assert (await problem(await patch(host, album), "album-gone"))["restorable_until"] == until
    host.clock.forward(WEEK_S - 1)
    assert await host.appliance.album_lifecycle.erase() == 0
    assert (await album_changed(host, album, restore=True))["title"] == "Trip"


async def test_an_album_is_erased_from_the_bin(host: Host) -> None:
    album = await made(host, await uploaded(host, 1))
    await host.bin(album, "albums")
    [record] = host.files("store/objects/albums")  # told before the answer
    assert '"ended": "deleted"' in record.read_text()
    assert (
        await host.client.delete(f"/api/v1/albums/{album['slug']}", headers=bearer(album["delete_token"]))
    ).status == 204
    host.clock.forward(11)
    assert await host.appliance.album_lifecycle.erase() == 1
    await problem(await patch(host, album, restore=True), "album-gone")
    assert host.files("store/objects/albums") == []
