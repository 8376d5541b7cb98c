"""Ending and bringing back: what expiry and deletion do to an image, and until when its owner can undo it."""

from typing import Any

import pytest

from appliance.lifecycle.expiry import GRACE_S
from tests.support.host import DAY_S, Host, problem
from tests.support.managed_images import changed, moment, status


@pytest.fixture
async def image(host: Host, jpeg: bytes) -> dict[str, Any]:
    """An uploaded image that expires after a day."""
    return await host.upload(jpeg, title="Cat", alt="A cat", expires_in="1d")


async def expired(host: Host, image: dict[str, Any], *, job: bool) -> None:
    """Go past the image's expiry, and let the job come by or not."""
    host.clock.forward(DAY_S + 1)
    if job:
        assert await host.appliance.image_lifecycle.end() == 1
    assert await status(host, image) == 410


# --- bringing back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("job", [False, True])
@pytest.mark.parametrize(
    ("members", "kept_s"),
    [
        ({"expires_in": "2d"}, 2 * DAY_S),
        ({"deleted": False}, 365 * DAY_S),
        ({"deleted": False, "expires_in": 60, "title": "Back"}, 60),
    ],
)
async def test_an_expired_image_is_restored_within_its_grace(
    host: Host, image: dict[str, Any], job: bool, members: dict[str, Any], kept_s: int
) -> None:
    await expired(host, image, job=job)
    after = await changed(host, image, **members)
    assert after["expires_at"] == moment(host.clock() + kept_s)
    assert after["title"] == members.get("title", "Cat")
    assert await status(host, image) == await status(host, image, "/small.jpg") == 200
    assert await host.appliance.image_lifecycle.end(clock_confirmed=True) == 0
    host.clock.forward(kept_s)
    assert await status(host, image) == 410


@pytest.mark.parametrize("job", [False, True])
async def test_an_expired_image_can_be_deleted_and_nothing_else(host: Host, image: dict[str, Any], job: bool) -> None:
    await expired(host, image, job=job)
    await problem(await host.patch(image["slug"], image["delete_token"], title="Late"), "gone")
    assert (await host.delete(image["slug"], image["delete_token"])).status == 204
    assert await host.erase() == 1
    assert [path.parts[-3] for path in host.files("store/objects")] == ["tombstones"]


async def test_the_grace_ends_with_the_bytes(host: Host, image: dict[str, Any]) -> None:
    await expired(host, image, job=True)
    host.clock.forward(GRACE_S - 1)
    assert await host.appliance.image_lifecycle.erase() == 0
    assert (await host.patch(image["slug"], image["delete_token"], expires_in="1d")).status == 200
    await expired(host, image, job=False)
    assert await host.appliance.image_lifecycle.end(clock_confirmed=True) == 1
    host.clock.forward(GRACE_S)
    assert await host.appliance.image_lifecycle.erase() == 1
    await problem(await host.patch(image["slug"], image["delete_token"], expires_in="1d"), "gone")


# --- deleting ---------------------------------------------------------------------------------------------------------


async def test_a_deleted_image_is_gone_at_once_and_back_after_an_undo(
    host: Host, image: dict[str, Any], jpeg: bytes
) -> None:
    assert (await host.delete(image["slug"], image["delete_token"])).status == 204
    assert await status(host, image) == 410
    host.clock.forward(9)
    assert await host.appliance.image_lifecycle.erase() == 0
    await problem(await host.patch(image["slug"], image["delete_token"], title="x"), "gone")
    await problem(await host.patch(image["slug"], image["delete_token"], expires_in="1d"), "gone")
    after = await changed(host, image, deleted=False)
    assert after["expires_at"] == image["expires_at"]
    assert await (await host.get(f"/i/{image['slug']}/original")).read() == jpeg
    assert await host.erase() == 0
    assert await status(host, image) == 200


async def test_nothing_restores_an_erased_image(host: Host, image: dict[str, Any]) -> None:
    await host.delete(image["slug"], image["delete_token"])
    assert await host.erase() == 1
    await problem(await host.patch(image["slug"], image["delete_token"], deleted=False), "gone")
    await problem(await host.delete(image["slug"], image["delete_token"]), "gone")


async def test_deleting_twice_does_not_delay_the_erasing(host: Host, image: dict[str, Any]) -> None:
    assert (await host.delete(image["slug"], image["delete_token"])).status == 204
    host.clock.forward(9)
    assert (await host.delete(image["slug"], image["delete_token"])).status == 204
    host.clock.forward(1)
    assert await host.appliance.image_lifecycle.erase() == 1
    assert host.counted("deleted_total") == 1


async def test_restoring_an_image_that_has_not_ended_changes_nothing(host: Host, image: dict[str, Any]) -> None:
    after = await changed(host, image, deleted=False)
    assert after == {name: value for name, value in image.items() if name != "delete_token"}


async def test_deleting_one_image_leaves_the_others_with_the_same_bytes_alone(
    host: Host, image: dict[str, Any], jpeg: bytes
) -> None:
    other = await host.upload(jpeg)
    small = await (await host.get(f"/i/{other['slug']}/small.jpg")).read()
    await host.get(f"/i/{image['slug']}/small.jpg")
    await host.all_cached()
    await host.delete(image["slug"], image["delete_token"])
    assert await host.erase() == 1
    for folder in ("store/objects", "spool", "cache"):
        paths = host.files(folder)
        left = [path for path in paths if image["slug"] in str(path) and path.parts[-3] != "tombstones"]
        assert not left
        assert [path for path in paths if other["slug"] in str(path)], folder
    kept = [path for path in host.files("store/objects") if path.name == other["slug"]]
    assert [path.read_bytes() for path in kept] == [jpeg]
    assert await (await host.get(f"/i/{other['slug']}/original")).read() == jpeg
    assert await (await host.get(f"/i/{other['slug']}/small.jpg")).read() == small
    await host.appliance.cache.evict(other["slug"])
    await host.appliance.spool.remove(other["slug"])
    assert await status(host, other, "/small.jpg") == 200
