"""Managing through the API: what the holder of a delete token may do, and nobody else."""

from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from tests.support.host import DAY_S, Host, problem
from tests.support.managed_images import changed, moment, status

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def image(shared: Host, jpeg: bytes) -> dict[str, Any]:
    """An uploaded image that expires after a day."""
    return await shared.upload(jpeg, title="Cat", alt="A cat", expires_in="1d")


# --- PATCH ------------------------------------------------------------------------------------------------------------


async def test_title_and_alt_are_set_cleared_and_left_alone(shared: Host, image: dict[str, Any]) -> None:
    after = await changed(shared, image, title="  Katze ")
    assert (after["title"], after["alt"]) == ("Katze", "A cat")
    after = await changed(shared, image, title=None, alt="猫")
    assert (after["title"], after["alt"]) == (None, "猫")
    after = await changed(shared, image, alt="")
    assert (after["title"], after["alt"]) == (None, None)
    after = await changed(shared, image)
    assert after["expires_at"] == image["expires_at"]


@pytest.mark.parametrize(("wish", "seconds"), [(60, 60), ("60", 60), ("12h", DAY_S // 2), ("730d", 730 * DAY_S)])
async def test_expires_in_counts_from_now(shared: Host, image: dict[str, Any], wish: object, seconds: int) -> None:
    shared.clock.forward(1000)
    assert (await changed(shared, image, expires_in=wish))["expires_at"] == moment(shared.clock() + seconds)


async def test_expires_at_takes_any_zone(shared: Host, image: dict[str, Any]) -> None:
    wished_s = shared.clock() + 5 * DAY_S
    for text in (moment(wished_s), datetime.fromtimestamp(wished_s).astimezone().isoformat()):
        assert (await changed(shared, image, expires_at=text))["expires_at"] == moment(wished_s)


async def test_a_shortened_life_ends_when_it_says(shared: Host, image: dict[str, Any]) -> None:
    await changed(shared, image, expires_in=10)
    shared.clock.forward(9)
    assert await status(shared, image) == 200
    shared.clock.forward(1)
    assert await status(shared, image) == 410


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"expires_in": 60, "expires_at": "2027-01-31T12:00:00Z"}, "invalid-expiry"),
        ({"expires_in": 0}, "invalid-expiry"),
        ({"expires_in": -1}, "invalid-expiry"),
        ({"expires_in": 731 * DAY_S}, "invalid-expiry"),
        ({"expires_in": 10**400}, "invalid-expiry"),
        ({"expires_in": True}, "invalid-expiry"),
        ({"expires_in": 1.5}, "invalid-expiry"),
        ({"expires_in": None}, "invalid-expiry"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "invalid-expiry"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, "invalid-expiry"),
        ({"expires_at": "2027-01-31T12:00:00"}, "invalid-expiry"),
        ({"expires_at": 1_800_000_000}, "invalid-expiry"),
        ({"title": "ü" * 201}, "invalid-field"),
        ({"alt": 5}, "invalid-field"),
        ({"title": "a\x00b"}, "invalid-field"),
        ({"title": "fine", "deleted": True}, "invalid-field"),
        ({"deleted": 0}, "invalid-field"),
        ({"bytes": 1}, "invalid-field"),
        ({"title": "fine", "filename": "other.jpg"}, "invalid-field"),
        ({"\ud800": 1}, "invalid-field"),
        ({"title": "\ud800"}, "invalid-field"),
    ],
)
async def test_a_wrong_wish_is_refused_and_changes_nothing(
    shared: Host, image: dict[str, Any], members: dict[str, Any], code: str
) -> None:
    before = await shared.appliance.catalogue.images.get(image["slug"])
    await problem(await shared.patch(image["slug"], image["delete_token"], **members), code)
    assert await shared.appliance.catalogue.images.get(image["slug"]) == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"title"', b"\xff", b"[" * 5000])
async def test_a_body_that_is_no_json_object_is_malformed(shared: Host, image: dict[str, Any], body: bytes) -> None:
    headers = {"Authorization": f"Bearer {image['delete_token']}"}
    response = await shared.client.patch(f"/api/v1/images/{image['slug']}", data=body, headers=headers)
    await problem(response, "malformed-request")


# --- tokens -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["patch", "delete"])
async def test_without_a_token_it_says_what_to_send(shared: Host, image: dict[str, Any], method: str) -> None:
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Basic {image['delete_token']}"}):
        response = await shared.client.request(method, f"/api/v1/images/{image['slug']}", json={}, headers=headers)
        await problem(response, "token-required")
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert await status(shared, image) == 200


async def test_a_wrong_token_changes_nothing(shared: Host, image: dict[str, Any], jpeg: bytes) -> None:
    other = await shared.upload(jpeg)
    for token in (other["delete_token"], image["delete_token"][:-1], image["delete_token"].upper(), "ü"):
        await problem(await shared.patch(image["slug"], token, title="Mine"), "token-wrong")
        await problem(await shared.delete(image["slug"], token), "token-wrong")
    assert (await (await shared.get(f"/api/v1/images/{image['slug']}")).json())["title"] == "Cat"


async def test_the_token_is_asked_for_before_the_body_is_judged(shared: Host, image: dict[str, Any]) -> None:
    await problem(await shared.patch(image["slug"], "wrong", nonsense=1), "token-wrong")


async def test_an_unknown_image_can_be_neither_changed_nor_deleted(shared: Host) -> None:
    for slug in ("0" * 17, "short", "0" * 64):
        await problem(await shared.patch(slug, "token", title="x"), "not-found")
        await problem(await shared.delete(slug, "token"), "not-found")


@pytest.mark.parametrize("rest", ["", "/manage", "/original", "/small.jpg", "/thumbnail"])
async def test_looking_changes_nothing(shared: Host, image: dict[str, Any], rest: str) -> None:
    query = f"?token={image['delete_token']}&action=delete&deleted=true&title=x"
    before = await shared.appliance.catalogue.images.get(image["slug"])
    for path in (f"/i/{image['slug']}{rest}{query}", f"/api/v1/images/{image['slug']}{query}"):
        for method in ("GET", "HEAD"):
            response = await shared.client.request(method, path, headers={"Accept": "text/html"})
            assert response.status == 200
    assert await shared.appliance.catalogue.images.get(image["slug"]) == before
