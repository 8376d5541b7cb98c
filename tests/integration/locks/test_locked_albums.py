"""A passphrase on an album, and locked images in an album that has none."""

from typing import Any

import pytest
from aiohttp import ClientResponse

from appliance.http.routes import application
from tests.support.albums import BROWSER, made, patch, post, shown, uploaded
from tests.support.host import Host, bearer, problem
from tests.support.images import pictures

PASSPHRASE = "open sesame"
PAGES = sorted(
    route.resource.canonical
    for route in application().router.routes()
    if route.method == "GET" and route.resource is not None and "{slug}" in route.resource.canonical
    if route.resource.canonical.startswith(("/a/", "/api/v1/albums"))
    if not route.resource.canonical.endswith(
        ("/a/{slug}/", "/invites", "/unlock", "/qr.svg")
    )  # its link, to its page, or for its owner
)


async def closed(reply: ClientResponse) -> None:
    body = await reply.read()
    assert (reply.status, (await reply.json())["code"]) == (401, "locked")
    assert reply.headers["Cache-Control"] == "private, no-store"
    assert b"ecret" not in body


async def unlock(host: Host, slug: str, passphrase: str = PASSPHRASE) -> ClientResponse:
    return await host.client.post(f"/a/{slug}/unlock", data={"passphrase": passphrase}, allow_redirects=False)


async def test_everything_of_a_locked_album_is_closed_until_its_passphrase_is_sent(host: Host) -> None:
    images = await uploaded(host, 2)
    album = await made(host, images, title="Secret title", passphrase=PASSPHRASE)
    slug = album["slug"]
    assert album["locked"] is True
    host.client.session.cookie_jar.clear()
    for path in PAGES:
        await closed(await host.get(path.format(slug=slug, image=images[0]["slug"])))
    await closed(await host.get(f"/iiif/presentation/3/{slug}/manifest.json"))
    await closed(await host.client.get("/oembed", params={"url": album["url"]}))
    page = await (await host.client.get(f"/a/{slug}", headers=BROWSER)).text()
    assert f'action="/a/{slug}/unlock"' in page
    assert "ecret" not in page
    assert "og:image" not in page
    assert (await unlock(host, slug, "guess")).status == 403
    opened = await unlock(host, slug)
    assert (opened.status, opened.cookies["pass"]["path"]) == (303, f"/a/{slug}")
    cookie = {"Cookie": f"pass={opened.cookies['pass'].value}"}
    await closed(await host.get(f"/iiif/presentation/3/{slug}/manifest.json", **cookie))
    locked = await host.upload(pictures.png(9, 9), passphrase=PASSPHRASE)
    await closed(await host.get(f"/i/{locked['slug']}/original", **cookie))
    for path in ("", "/zip", "/codes", "/manage", f"/{images[1]['slug']}"):
        reply = await host.client.get(f"/a/{slug}{path}", headers=BROWSER)
        assert reply.status == 200
        assert reply.headers["Cache-Control"] == "private, no-store"
    assert "Its images have links of their own" in await (await host.client.get(f"/a/{slug}")).text()
    assert (await host.get(f"/i/{images[0]['slug']}/original")).status == 200


async def test_its_lock_comes_and_goes_by_its_token(host: Host) -> None:
    album = await made(host, await uploaded(host, 1))
    slug, token = album["slug"], album["delete_token"]
    assert (await patch(host, album, passphrase=PASSPHRASE)).status == 200
    host.client.session.cookie_jar.clear()
    await closed(await host.get(f"/a/{slug}"))
    resource = await host.client.get(f"/api/v1/albums/{slug}", headers=bearer(token))
    assert (await resource.json())["locked"] is True
    owner = await host.client.post(
        f"/a/{slug}/manage", data={"token": token, "remove_passphrase": "yes"}, headers=BROWSER
    )
    assert owner.status == 200
    assert (await shown(host, album))["locked"] is False


async def test_a_repeated_creation_needs_the_same_passphrase(host: Host) -> None:
    images = [image["slug"] for image in await uploaded(host, 1)]
    key = "a-key-that-is-long-enough"
    first = await (await post(host, key=key, images=images, passphrase=PASSPHRASE)).json()
    again = await (await post(host, key=key, images=images, passphrase=PASSPHRASE)).json()
    assert (again["slug"], again["delete_token"]) == (first["slug"], first["delete_token"])
    await problem(await post(host, key=key, images=images, passphrase="another"), "idempotency-key-reused")


@pytest.fixture
async def mixed(host: Host) -> dict[str, Any]:
    """An album of an open image, a locked one, and another open one; the locked one is its cover."""
    first, last = await uploaded(host, 2)
    [hidden] = await uploaded(host, 1, title="Secret title", passphrase=PASSPHRASE)
    host.client.session.cookie_jar.clear()
    return await made(host, [first, hidden, last], cover=hidden["slug"])


async def test_a_locked_image_is_a_placeholder_in_an_open_album(host: Host, mixed: dict[str, Any]) -> None:
    slug, (first, hidden, last) = mixed["slug"], mixed["images"]
    assert hidden == {"slug": hidden["slug"], "url": hidden["url"], "locked": True, "one_view": False}
    assert mixed["cover"] == first["slug"]
    assert mixed["bytes"] == first["bytes"] + last["bytes"]
    page = await (await host.client.get(f"/a/{slug}", headers=BROWSER)).text()
    assert f'<a href="/i/{hidden["slug"]}"><span class="no-preview" dir="auto">Locked image</span></a>' in page
    assert "1 image is locked. It isn’t part of the download." in page
    for path in (f"/a/{slug}/codes", f"/a/{slug}/manage", f"/iiif/presentation/3/{slug}/manifest.json"):
        text = await (await host.client.get(path)).text()
        assert "ecret" not in text
        assert f"/i/{hidden['slug']}/" not in text
    archive = await (await host.client.get(f"/a/{slug}/zip")).read()
    assert archive.count(b"PK\x01\x02") == 2
    step = await (await host.client.get(f"/a/{slug}/{first['slug']}")).text()
    assert f'rel="next" href="/a/{slug}/{last["slug"]}"' in step
    lead = await host.get(f"/a/{slug}/{hidden['slug']}")
    assert (lead.status, lead.headers["Location"]) == (303, f"/i/{hidden['slug']}")


async def test_an_album_of_locked_images_alone_has_nothing_to_download(host: Host) -> None:
    album = await made(host, await uploaded(host, 2, passphrase=PASSPHRASE))
    for path in ("zip", "codes"):
        await problem(await host.client.get(f"/a/{album['slug']}/{path}"), "all-locked")
    page = await (await host.client.get(f"/a/{album['slug']}", headers=BROWSER)).text()
    assert "0 bytes" not in page
    assert "/zip" not in page
    assert "og:image" not in page


async def test_its_owner_opens_the_manage_page_and_changes_nothing(host: Host) -> None:
    album = await made(host, await uploaded(host, 1), passphrase=PASSPHRASE)
    host.client.session.cookie_jar.clear()
    data = {"token": album["delete_token"], "action": "open"}
    page = await host.client.post(f"/a/{album['slug']}/manage", data=data, headers=BROWSER)
    assert (page.status, "Saved." in await page.text()) == (200, False)
    before = await host.client.get(f"/api/v1/albums/{album['slug']}", headers=bearer(album["delete_token"]))
    assert before.headers["ETag"] == '"1"'
    assert (await host.client.post(f"/a/{album['slug']}/manage", data=data | {"token": "no"})).status == 403
