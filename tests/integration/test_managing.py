"""Managing over the API: what the holder of a delete token may do, and nobody else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import DAY_S, Host, bearer, problem


def stamp(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
async def mine(host: Host, jpeg: bytes) -> dict[str, Any]:
    return await host.upload(jpeg, title="Cat", alt="A cat")


async def test_the_resource_never_shows_the_token_again(host: Host, mine: dict[str, Any]) -> None:
    shown = await (await host.get(f"/api/v1/images/{mine['slug']}")).json()
    assert shown == {name: value for name, value in mine.items() if name != "delete_token"}


async def test_title_and_alt_can_be_changed_and_cleared(host: Host, mine: dict[str, Any]) -> None:
    slug, token = mine["slug"], mine["delete_token"]
    changed = await (await host.patch(slug, token, title="Katze")).json()
    assert (changed["title"], changed["alt"]) == ("Katze", "A cat")
    changed = await (await host.patch(slug, token, title=None, alt="")).json()
    assert (changed["title"], changed["alt"]) == (None, None)
    assert await (await host.get(f"/api/v1/images/{slug}")).json() == changed


@pytest.mark.parametrize(
    ("members", "seconds"),
    [({"expires_in": 60}, 60), ({"expires_in": "30d"}, 30 * DAY_S), ({"expires_at": 90}, 90)],
)
async def test_the_expiry_can_be_moved(host: Host, mine: dict[str, Any], members: dict[str, Any], seconds: int) -> None:
    if "expires_at" in members:
        members = {"expires_at": stamp(host.clock() + members["expires_at"])}
    changed = await (await host.patch(mine["slug"], mine["delete_token"], **members)).json()
    assert changed["expires_at"] == stamp(int(host.clock()) + seconds)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"owner": "me"}, "invalid-field"),
        ({"deleted": True}, "invalid-field"),
        ({"deleted": None}, "invalid-field"),
        ({"title": 5}, "invalid-field"),
        ({"title": "x" * 201}, "invalid-field"),
        ({"alt": "\x00"}, "invalid-field"),
        ({"title": "\ud800"}, "invalid-field"),
        ({"expires_in": 0}, "invalid-expiry"),
        ({"expires_in": -1}, "invalid-expiry"),
        ({"expires_in": True}, "invalid-expiry"),
        ({"expires_in": 1.5}, "invalid-expiry"),
        ({"expires_in": 10**300}, "invalid-expiry"),
        ({"expires_in": None}, "invalid-expiry"),
        ({"expires_in": "731d"}, "invalid-expiry"),
        ({"expires_at": "tomorrow"}, "invalid-expiry"),
        ({"expires_at": "2027-01-01T00:00:00"}, "invalid-expiry"),
        ({"expires_at": "0001-01-01T00:00:00+23:59"}, "invalid-expiry"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, "invalid-expiry"),
        ({"expires_at": 5}, "invalid-expiry"),
        ({"expires_in": 5, "expires_at": "2027-01-01T00:00:00Z"}, "invalid-expiry"),
    ],
)
async def test_changes_that_are_not_allowed(
    host: Host, mine: dict[str, Any], members: dict[str, Any], code: str
) -> None:
    await problem(await host.patch(mine["slug"], mine["delete_token"], **members), code)
    shown = await (await host.get(f"/api/v1/images/{mine['slug']}")).json()
    assert (shown["title"], shown["expires_at"]) == (mine["title"], mine["expires_at"])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 5000, b'{"title": NaN}'])
async def test_bodies_that_are_no_changes(host: Host, mine: dict[str, Any], body: bytes) -> None:
    url = f"/api/v1/images/{mine['slug']}"
    reply = await host.client.patch(url, data=body, headers=bearer(mine["delete_token"]))
    assert (await reply.json())["code"] in ("malformed-request", "invalid-field")
    assert reply.status == 400


async def test_a_change_of_a_megabyte_is_refused(host: Host, mine: dict[str, Any]) -> None:
    await problem(await host.patch(mine["slug"], mine["delete_token"], title="x" * 900_000), "too-large")


async def test_nothing_can_be_done_without_the_right_token(host: Host, mine: dict[str, Any], jpeg: bytes) -> None:
    slug = mine["slug"]
    other = await host.upload(jpeg)
    for reply in (await host.patch(slug, None, title="x"), await host.delete(slug, None)):
        await problem(reply, "token-required")
        assert reply.headers["WWW-Authenticate"] == "Bearer"
    for token in (other["delete_token"], "wrong", mine["delete_token"] + "x", "ü"):
        await problem(await host.patch(slug, token, title="x"), "token-wrong")
        await problem(await host.delete(slug, token), "token-wrong")
    await problem(
        await host.client.delete(f"/api/v1/images/{slug}", headers={"Authorization": "Basic abc"}), "token-required"
    )
    assert (await (await host.get(f"/api/v1/images/{slug}")).json())["title"] == "Cat"


async def test_an_unknown_image_can_not_be_changed(host: Host) -> None:
    await problem(await host.patch("0" * 17, "token", title="x"), "not-found")
    await problem(await host.delete("0" * 17, None), "not-found")


async def test_a_deletion_can_be_undone_until_the_bytes_are_erased(host: Host, mine: dict[str, Any]) -> None:
    slug, token = mine["slug"], mine["delete_token"]
    assert (await host.delete(slug, token)).status == 204
    host.clock.forward(9)
    assert await host.appliance.eraser.run() == 0
    back = await host.patch(slug, token, deleted=False)
    assert (back.status, (await back.json())["expires_at"]) == (200, mine["expires_at"])
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200
    await host.delete(slug, token)
    assert await host.erase() == 1
    await problem(await host.patch(slug, token, deleted=False), "gone")
    await problem(await host.delete(slug, token), "gone")


async def test_deleting_twice_is_fine_and_counts_once(host: Host, mine: dict[str, Any]) -> None:
    for _ in range(2):
        assert (await host.delete(mine["slug"], mine["delete_token"])).status == 204
    assert host.counted("deleted_total") == 1
    host.clock.forward(5)
    await host.delete(mine["slug"], mine["delete_token"])
    host.clock.forward(6)
    assert await host.appliance.eraser.run() == 1  # repeating did not put the erasing off


async def test_only_its_undoing_brings_a_deleted_image_back(host: Host, mine: dict[str, Any]) -> None:
    slug, token = mine["slug"], mine["delete_token"]
    await host.delete(slug, token)
    await problem(await host.patch(slug, token, title="x"), "gone")
    await problem(await host.patch(slug, token, expires_in="30d"), "gone")
    await problem(await host.get(f"/i/{slug}"), "gone")


@pytest.mark.parametrize("swept", [False, True])
@pytest.mark.parametrize("members", [{"expires_in": "30d"}, {"deleted": False}, {"deleted": False, "title": "Back"}])
async def test_an_expired_image_can_be_brought_back_within_its_grace(
    host: Host, jpeg: bytes, swept: bool, members: dict[str, Any]
) -> None:
    resource = await host.upload(jpeg, expires_in="60")
    slug, token = resource["slug"], resource["delete_token"]
    host.clock.forward(61)
    if swept:
        assert await host.appliance.expiry.run() == 1
    await problem(await host.patch(slug, token, title="x"), "gone")
    back = await host.patch(slug, token, **members)
    days = 30 if "expires_in" in members else 365
    assert (await back.json())["expires_at"] == stamp(int(host.clock()) + days * DAY_S)
    assert (await back.json())["title"] == members.get("title")
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200
    assert await host.appliance.eraser.run() == 0


async def test_an_expired_image_can_not_be_brought_back_after_its_grace(host: Host, jpeg: bytes) -> None:
    resource = await host.upload(jpeg, expires_in="60")
    host.clock.forward(61)
    await host.appliance.expiry.run()
    host.clock.forward(7 * DAY_S)
    assert await host.appliance.eraser.run() == 1
    await problem(await host.patch(resource["slug"], resource["delete_token"], deleted=False), "gone")
