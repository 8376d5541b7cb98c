"""Making, showing and changing albums."""

import asyncio
from typing import Any

import pytest

from tests.support.albums import changed, delete, made, patch, post, shown, slugs_of, uploaded
from tests.support.host import DAY_S, Host, problem
from tests.support.managed_images import moment

KEY = "a-key-that-is-long-enough"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def host(shared: Host) -> Host:
    """One for all: no test here moves its clock."""
    return shared


async def test_an_album_has_its_images_in_their_order_and_a_link(host: Host) -> None:
    images = await uploaded(host, 3)
    response = await post(host, images=slugs_of(images)[::-1], title="  Holidays  ")
    album = await response.json()
    assert response.status == 201
    assert response.headers["Location"] == f"/a/{album['slug']}"
    assert response.headers["Cache-Control"] == "no-store"
    assert album["url"].endswith(f"/a/{album['slug']}")
    assert album["title"] == "Holidays"
    assert slugs_of(album["images"]) == slugs_of(images)[::-1]
    assert album["bytes"] == sum(image["bytes"] for image in images)
    assert album["own_expires_at"] is None
    token = album.pop("delete_token")
    assert album == await shown(host, album)
    page = await (await host.get(f"/a/{album['slug']}")).text()
    assert "Holidays" in page
    assert token not in page


async def test_an_image_that_is_named_twice_is_in_it_once(host: Host) -> None:
    first, second = slugs_of(await uploaded(host, 2))
    album = await (await post(host, images=[first, second, first])).json()
    assert slugs_of(album["images"]) == [first, second]


async def test_only_the_hash_of_the_token_is_stored(host: Host) -> None:
    album = await made(host, await uploaded(host, 1))
    row = await host.appliance.catalogue.albums.get(album["slug"])
    assert row is not None
    assert album["delete_token"] not in str(row)
    await host.appliance.album_lifecycle.sync_records()
    [record] = [path for path in host.files("store/objects/albums") if path.stem == album["slug"]]
    assert album["delete_token"] not in record.read_text()


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({}, "invalid-field"),
        ({"images": []}, "invalid-field"),
        ({"images": "x"}, "invalid-field"),
        ({"images": [1]}, "invalid-field"),
        ({"images": ["short"]}, "invalid-field"),
        ({"images": ["0" * 17]}, "invalid-field"),
        ({"images": [], "owner": "me"}, "invalid-field"),
        ({"images": ["{slug}"], "title": 1}, "invalid-field"),
        ({"images": ["{slug}"], "title": "x" * 201}, "invalid-field"),
        ({"images": ["{slug}"], "description": "x" * 2001}, "invalid-field"),
        ({"images": ["{slug}"], "cover": "0" * 17}, "invalid-field"),
        ({"images": ["{slug}"], "expires_in": 0}, "invalid-expiry"),
        ({"images": ["{slug}"], "expires_in": "soon"}, "invalid-expiry"),
        ({"images": ["{slug}"], "expires_in": "731d"}, "invalid-expiry"),
        ({"images": ["{slug}"], "expires_in": [1]}, "invalid-expiry"),
    ],
)
async def test_what_can_not_be_an_album_is_refused_by_name(host: Host, members: dict[str, Any], code: str) -> None:
    [image] = await uploaded(host, 1)
    if members.get("images") == ["{slug}"]:
        members = members | {"images": [image["slug"]]}
    await problem(await post(host, **members), code)


async def test_a_body_that_is_no_object_is_malformed(host: Host) -> None:
    for body in (b"", b"[]", b"\xff", b"{"):
        await problem(await host.client.post("/api/v1/albums", data=body), "malformed-request")


async def test_the_images_that_are_not_here_any_more_are_named(host: Host) -> None:
    gone, there = await uploaded(host, 2)
    await host.delete(gone["slug"], gone["delete_token"])
    told = await problem(await post(host, images=slugs_of([gone, there])), "invalid-field")
    assert gone["slug"] in told["detail"]
    assert there["slug"] not in told["detail"]


async def test_an_idempotency_key_gives_the_first_answer_again(host: Host) -> None:
    images = slugs_of(await uploaded(host, 2))
    first = await (await post(host, key=KEY, images=images, title="Once")).json()
    again = await post(host, key=KEY, images=images, title="Once")
    assert again.status == 201
    assert await again.json() == first
    await problem(await post(host, key=KEY, images=images, title="Twice"), "idempotency-key-reused")
    await problem(await post(host, key="short", images=images), "invalid-idempotency-key")
    await delete(host, first)
    await problem(await post(host, key=KEY, images=images, title="Once"), "album-gone")


async def test_a_key_is_for_an_album_or_for_an_image(host: Host, jpeg: bytes) -> None:
    [image] = await uploaded(host, 1)
    await post(host, key=KEY + "2", images=[image["slug"]])
    response = await host.client.post("/api/v1/images", data=jpeg, headers={"Idempotency-Key": KEY + "2"})
    await problem(response, "idempotency-key-reused")


async def test_requests_with_one_key_at_the_same_time_make_one_album(host: Host) -> None:
    images = slugs_of(await uploaded(host, 1))
    answers = await asyncio.gather(*(post(host, key=KEY + "3", images=images) for _ in range(5)))
    made_slugs = {(await answer.json())["slug"] for answer in answers if answer.status == 201}
    assert len(made_slugs) == 1
    assert {answer.status for answer in answers} <= {201, 409}


# --- changing -----------------------------------------------------------------------------------------------------


async def test_title_and_order_change(host: Host) -> None:
    images = await uploaded(host, 3)
    first, second, third = slugs_of(images)
    album = await made(host, images)
    assert (await changed(host, album, title="New"))["title"] == "New"
    assert (await changed(host, album, title=None))["title"] is None
    assert slugs_of((await changed(host, album, order=[third, first, second]))["images"]) == [third, first, second]


async def test_its_description_and_cover_change(host: Host) -> None:
    images = await uploaded(host, 3)
    first, second, _ = slugs_of(images)
    album = await made(host, images, description="  Two weeks  ")
    assert (album["description"], album["cover"]) == ("Two weeks", first)
    now = await changed(host, album, description="Three weeks", cover=second)
    assert (now["description"], now["cover"]) == ("Three weeks", second)
    assert (await changed(host, album, description=None))["description"] is None
    await problem(await patch(host, album, cover="0" * 17), "invalid-field")
    assert (await changed(host, album, cover=None))["cover"] == first


async def test_a_cover_leaves_with_its_image_and_comes_back_with_it(host: Host) -> None:
    images = await uploaded(host, 2)
    first, second = slugs_of(images)
    album = await made(host, images, cover=second)
    await host.delete(second, images[1]["delete_token"])
    assert (await shown(host, album))["cover"] == first
    await host.patch(second, images[1]["delete_token"], deleted=False)
    assert (await shown(host, album))["cover"] == second
    assert (await changed(host, album, remove=[second]))["cover"] == first
    assert (await changed(host, album, add=[second]))["cover"] == first


async def test_images_that_the_order_does_not_name_follow_those_that_it_does(host: Host) -> None:
    """So somebody who sorts an outdated page loses nothing that was added meanwhile."""
    images = await uploaded(host, 4)
    first, second, third, fourth = slugs_of(images)
    album = await made(host, images[:3])
    await changed(host, album, add=[fourth])
    assert slugs_of((await changed(host, album, order=[third, second, first]))["images"]) == [
        third,
        second,
        first,
        fourth,
    ]


async def test_images_are_moved_and_all_others_stay_as_somebody_else_has_put_them(host: Host) -> None:
    images = await uploaded(host, 4)
    first, second, third, fourth = slugs_of(images)
    album = await made(host, images)
    await changed(host, album, move=[{"image": fourth, "after": None}])
    moved = await changed(host, album, move=[{"image": first, "after": second}, {"image": third, "after": first}])
    assert slugs_of(moved["images"]) == [fourth, second, first, third]
    absent = [
        {"image": first, "after": "0" * 17},
        {"image": "0" * 17, "after": first},
        {"image": third, "after": third},
    ]
    assert slugs_of((await changed(host, album, move=absent))["images"]) == slugs_of(moved["images"])
    await problem(await patch(host, album, move=[{"image": first, "after": None}] * 501), "too-many-images")


async def test_images_come_in_and_go_out(host: Host) -> None:
    images = await uploaded(host, 3)
    first, second, third = slugs_of(images)
    album = await made(host, images[:1])
    assert slugs_of((await changed(host, album, add=[second, third, first]))["images"]) == [first, second, third]
    assert slugs_of((await changed(host, album, remove=[first, "0" * 17]))["images"]) == [second, third]
    both = await changed(host, album, remove=[second], add=[first], order=[first])
    assert slugs_of(both["images"]) == [first, third]
    await problem(await patch(host, album, remove=[first, third]), "invalid-field")
    await problem(await patch(host, album, add=["0" * 17]), "invalid-field")
    assert slugs_of((await changed(host, album, order=[second, third]))["images"]) == [third, first]
    assert (await host.get(f"/i/{second}/original")).status == 200  # it was taken out, not deleted


async def test_changes_at_the_same_time_are_all_kept(host: Host) -> None:
    images = await uploaded(host, 5)
    album = await made(host, images[:1])
    answers = await asyncio.gather(*(patch(host, album, add=[image["slug"]]) for image in images[1:]))
    assert [answer.status for answer in answers] == [200] * 4
    assert sorted(slugs_of((await shown(host, album))["images"])) == sorted(slugs_of(images))


async def test_only_the_token_changes_it(host: Host) -> None:
    images = await uploaded(host, 1)
    album, other = await made(host, images), await made(host, images)
    response = await host.client.patch(f"/api/v1/albums/{album['slug']}", json={"title": "x"})
    await problem(response, "token-required")
    await problem(await host.client.delete(f"/api/v1/albums/{album['slug']}"), "token-required")
    for token in ("wrong", other["delete_token"], images[0]["delete_token"]):
        await problem(await patch(host, album, token, title="x"), "token-wrong")
        await problem(await delete(host, album, token), "token-wrong")
    assert (await shown(host, album))["title"] is None


@pytest.mark.parametrize(
    "members",
    [
        {"images": []},
        {"add": "x"},
        {"remove": [None]},
        {"order": {}},
        {"move": [{"image": "x"}]},
        {"move": [{"image": None, "after": None}]},
        {"deleted": True},
        {"title": 5},
        {"alt": "x"},
    ],
)
async def test_a_change_that_can_not_be_is_refused_by_name(host: Host, members: dict[str, Any]) -> None:
    album = await made(host, await uploaded(host, 1))
    await problem(await patch(host, album, **members), "invalid-field")


async def test_an_album_that_never_was_is_not_found(host: Host) -> None:
    nowhere = {"slug": "0" * 17, "delete_token": "x"}
    for response in (
        await host.get(f"/api/v1/albums/{'0' * 17}"),
        await host.get("/api/v1/albums/short"),
        await patch(host, nowhere, title="x"),
        await delete(host, nowhere),
        await host.get(f"/a/{'0' * 17}"),
        await host.get(f"/a/{'0' * 17}/zip"),
    ):
        await problem(response, "album-not-found")


async def test_an_image_is_no_album_and_an_album_no_image(host: Host) -> None:
    [image] = await uploaded(host, 1)
    album = await made(host, [image])
    await problem(await host.get(f"/api/v1/albums/{image['slug']}"), "album-not-found")
    await problem(await host.get(f"/api/v1/images/{album['slug']}"), "not-found")


# --- its own expiry -----------------------------------------------------------------------------------------------


async def test_it_ends_with_its_last_image_unless_its_maker_wished_an_earlier_end(host: Host) -> None:
    [short] = await uploaded(host, 1, expires_in="1d")
    [long] = await uploaded(host, 1, expires_in="10d")
    album = await made(host, [short, long])
    assert album["expires_at"] == long["expires_at"]
    sooner = await made(host, [short, long], expires_in="2d")
    assert sooner["expires_at"] == sooner["own_expires_at"] == moment(host.clock.now_s + 2 * DAY_S)
    later = await made(host, [short, long], expires_in=30 * DAY_S)
    assert later["expires_at"] == long["expires_at"]
    assert later["own_expires_at"] == moment(host.clock.now_s + 30 * DAY_S)


async def test_its_expiry_changes_and_can_be_left_to_its_images_again(host: Host) -> None:
    images = await uploaded(host, 2)
    album = await made(host, images)
    at = moment(host.clock.now_s + 5 * DAY_S)
    assert (await changed(host, album, expires_at=at))["expires_at"] == at
    assert (await changed(host, album, expires_in="1h"))["expires_at"] == moment(host.clock.now_s + 3600)
    assert (await changed(host, album, expires_in=None))["expires_at"] == images[0]["expires_at"]
    await problem(await patch(host, album, expires_in="1h", expires_at=at), "invalid-expiry")
    await problem(await patch(host, album, expires_in="731d"), "invalid-expiry")
    await problem(await patch(host, album, expires_at="2020-01-01T00:00:00Z"), "invalid-expiry")
