"""One view: a button shows the image, once and whole, and nothing else spends it."""

import asyncio
import functools
from typing import Any

import pytest
from aiohttp import ClientSession
from PIL import Image

from appliance.domain.errors import Conflict
from appliance.http.localization.formatting import rfc3339
from tests.support.host import Host, bearer, problem
from tests.support.images import pictures

HTML = {"Accept": "text/html"}


@functools.cache
def noise() -> bytes:
    """An image of more bytes than the system buffers of a connection hold."""
    return pictures.saved(Image.effect_noise((3600, 2600), 80), "png", compress_level=0)


@pytest.fixture
async def mine(host: Host, jpeg: bytes) -> dict[str, Any]:
    return await host.upload(jpeg, title="Secret title", one_view="true")


async def test_looking_changes_nothing_and_the_button_shows_it_once(
    host: Host, mine: dict[str, Any], jpeg: bytes
) -> None:
    slug = mine["slug"]
    for path in ("", "/original", "/small.jpg", "/view"):
        assert (await host.client.get(f"/i/{slug}{path}")).status == 401
        assert (await host.client.head(f"/i/{slug}{path}")).status == 401
    page = await (await host.client.get(f"/i/{slug}", headers=HTML)).text()
    assert f'action="/i/{slug}/view"' in page
    assert "ecret" not in page
    original = await (await host.client.get(f"/i/{slug}/original", headers=bearer(mine["delete_token"]))).read()
    shown = await host.client.post(f"/i/{slug}/view", headers={"Range": "bytes=0-9"})
    assert await shown.read() == original
    assert shown.headers["Cache-Control"] == "private, no-store"
    again = await problem(await host.get(f"/i/{slug}/original"), "gone")
    assert again["detail"] == "This image could be viewed once, and that is over."
    assert "viewed_at" not in again
    assert await host.erase() == 1
    assert host.files("store/objects/originals") == []


async def test_a_spent_view_is_over_for_its_owner_too_who_learns_when_it_was(host: Host, mine: dict[str, Any]) -> None:
    slug, token = mine["slug"], mine["delete_token"]
    await (await host.client.post(f"/i/{slug}/view")).read()
    reply = await host.client.get(f"/api/v1/images/{slug}", headers=bearer(token))
    told = await problem(reply, "gone")
    assert "restorable_until" not in told
    assert told["viewed_at"] == rfc3339(int(host.clock()))
    await problem(await host.patch(slug, token, restore=True), "gone")
    page = await (await host.client.get(f"/i/{slug}", headers=HTML)).text()
    assert "This image could be viewed once, and that is over" in page
    assert "Is it yours?" not in page


async def test_of_many_who_press_at_once_one_sees_it(host: Host, mine: dict[str, Any]) -> None:
    async def press() -> tuple[int, int]:
        async with ClientSession() as session, session.post(host.client.make_url(f"/i/{mine['slug']}/view")) as reply:
            return reply.status, len(await reply.read())

    replies = await asyncio.gather(*(press() for _ in range(6)))
    assert [length for status, length in replies if status == 200] == [mine["bytes"]]
    assert {status for status, _ in replies} <= {200, 409, 410}


async def test_a_view_that_breaks_off_can_be_repeated_by_the_same_browser_for_ten_minutes(host: Host) -> None:
    large = noise()
    slug = (await host.upload(large, "large.png", one_view="true"))["slug"]
    ticket = await broken_off(host, slug)
    row = await host.appliance.delivery.resolve(slug)
    assert row.ended is None
    other = await host.client.post(f"/i/{slug}/view", headers=HTML)
    assert (other.status, other.headers["Retry-After"]) == (409, "600")
    assert "Somebody is viewing this image" in await other.text()
    host.clock.forward(599)
    mine = await host.client.post(f"/i/{slug}/view", headers={"Cookie": f"view={ticket}"})
    assert (mine.status, len(await mine.read())) == (200, row.bytes)
    await problem(await host.get(f"/i/{slug}/original"), "gone")


async def test_after_ten_minutes_it_is_over_and_the_owner_may_offer_it_again(host: Host) -> None:
    large = noise()
    image = await host.upload(large, "large.png", one_view="true")
    slug, token = image["slug"], image["delete_token"]
    await broken_off(host, slug)
    host.clock.forward(601)
    await host.appliance.image_lifecycle.end()
    assert (await host.client.post(f"/i/{slug}/view")).status == 410
    offered = await host.patch(slug, token, restore=True)
    assert (await offered.json())["viewed_at"] is None
    assert (await host.client.post(f"/i/{slug}/view")).status == 200


async def test_an_owner_who_opens_it_meanwhile_keeps_it(host: Host, mine: dict[str, Any]) -> None:
    slug, views = mine["slug"], host.appliance.one_views
    asked = await host.appliance.delivery.resolve(slug)
    ticket = await views.begin(asked, None)
    await host.patch(slug, mine["delete_token"], one_view=False)
    assert await views.spend(slug, ticket) is None
    with pytest.raises(Conflict):
        await views.begin(asked, ticket)
    host.clock.forward(601)
    assert (await host.get(f"/i/{slug}/original")).status == 200


async def broken_off(host: Host, slug: str) -> str:
    """Begin the view, read some of it, and close the connection. Its ticket."""
    async with ClientSession() as session:
        reply = await session.post(host.client.make_url(f"/i/{slug}/view"))
        assert reply.status == 200
        await reply.content.readexactly(1000)
        reply.close()
        return reply.cookies["view"].value


async def test_with_a_passphrase_the_button_asks_for_it(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg, passphrase="please", one_view="true"))["slug"]
    wrong = await host.client.post(f"/i/{slug}/view", data={"passphrase": "guess"}, headers=HTML)
    assert (wrong.status, "The passphrase is wrong." in await wrong.text()) == (403, True)
    assert (
        await host.client.post(f"/i/{slug}/unlock", data={"passphrase": "please"}, allow_redirects=False)
    ).status == 303
    assert (await host.client.get(f"/i/{slug}/original", headers={"X-Passphrase": "please"})).status == 401
    assert (await host.client.post(f"/i/{slug}/view", data={"passphrase": "please"})).status == 200
