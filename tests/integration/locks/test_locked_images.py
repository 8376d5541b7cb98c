"""A passphrase on an image: who gets in, and that nothing of the image is told to anybody else."""

import re
from typing import Any

import pytest
from aiohttp import ClientResponse
from yarl import URL

from appliance.domain.clients import Client
from appliance.domain.errors import WrongPassphrase
from appliance.domain.model import Image
from appliance.http.routes import application
from appliance.locks.guesses import BY_ADDRESS, WINDOW_S
from tests.support.access import BY_HEADER, form
from tests.support.host import Host, bearer, problem
from tests.support.tus_client import Tus, encoded

PASSPHRASE = "Käse und Brot"
HTML = {"Accept": "text/html"}
FREE = frozenset({"/i/{slug}/qr.svg", "/i/{slug}/", "/i/{slug}/unlock", "/i/{slug}/view", "/a/{slug}/"})
"""Routes of an image that show its link alone, or lead to it."""
FILLED_IN = {
    "preset": "small",
    "extension": "jpg",
    "region": "full",
    "size": "max",
    "rotation": "0",
    "last": "default.jpg",
}


@pytest.fixture
async def mine(host: Host, jpeg: bytes) -> dict[str, Any]:
    return await host.upload(jpeg, filename="secret-name.jpg", title="Secret title", passphrase=PASSPHRASE)


async def unlock(host: Host, slug: str, passphrase: str, **headers: str) -> ClientResponse:
    fields = {"passphrase": passphrase}
    return await host.client.post(f"/i/{slug}/unlock", data=fields, headers=headers, allow_redirects=False)


def routes_with_a_slug() -> list[str]:
    """The path of each GET route that shows an image by its slug."""
    found = {
        route.resource.canonical
        for route in application().router.routes()
        if route.method == "GET" and route.resource is not None and "{slug}" in route.resource.canonical
    }
    return sorted(path for path in found - FREE if not path.startswith(("/a/", "/api/v1/albums")))


async def test_no_address_of_a_locked_image_shows_anything_of_it(host: Host, mine: dict[str, Any]) -> None:
    for path in routes_with_a_slug():
        reply = await host.get(path.format(slug=mine["slug"], **FILLED_IN))
        body = await reply.read()
        if path.endswith("/events"):
            assert f'"url": "{mine["url"]}"'.encode() in body
        else:
            assert reply.status == 401, path
            assert (await reply.json())["code"] == "locked"
        assert reply.headers["Cache-Control"] == "private, no-store"
        assert "Access-Control-Allow-Origin" not in reply.headers
        for secret in (b"ecret", mine["sha256"].encode(), b"medium.jpg"):
            assert secret not in body, path


async def test_oembed_and_link_previews_know_nothing_of_it(host: Host, mine: dict[str, Any]) -> None:
    await problem_of_lock(await host.client.get("/oembed", params={"url": mine["url"]}))
    page = await (await host.client.get(f"/i/{mine['slug']}", headers=HTML)).text()
    assert "og:image" not in page
    assert "ecret" not in page


async def problem_of_lock(reply: ClientResponse) -> None:
    assert (reply.status, (await reply.json())["code"]) == (401, "locked")


async def test_the_passphrase_opens_all_of_it_in_one_browser_alone(host: Host, mine: dict[str, Any]) -> None:
    slug = mine["slug"]
    reply = await unlock(host, slug, PASSPHRASE, **HTML)
    assert (reply.status, reply.headers["Location"]) == (303, f"/i/{slug}")
    cookie = reply.cookies["pass"]
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == (f"/i/{slug}", "Lax", True)
    page = await host.client.get(f"/i/{slug}", headers=HTML)
    text = await page.text()
    assert page.status == 200
    assert "Secret title" in text
    assert not re.search(r"og:image|oembed|iiif|data-zoom|embed-", text)
    for path in ("small.jpg", "original", "preview.jpg", "medium"):
        shown = await host.client.get(f"/i/{slug}/{path}")
        assert shown.status == 200
        assert shown.headers["Cache-Control"] == "private, no-store"
        assert shown.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in shown.headers
    await problem_of_lock(await host.client.get(f"/iiif/3/{slug}/info.json"))
    host.client.session.cookie_jar.clear()
    await problem_of_lock(await host.client.get(f"/i/{slug}/small.jpg"))


async def test_a_keyboard_that_writes_umlauts_in_two_characters_opens_it_too(host: Host, mine: dict[str, Any]) -> None:
    assert (await unlock(host, mine["slug"], "Ka\u0308se und Brot")).status == 303


async def test_programs_send_the_passphrase_in_a_header(host: Host, mine: dict[str, Any]) -> None:
    path = f"/api/v1/images/{mine['slug']}"
    right = await host.client.get(path, headers={"X-Passphrase": PASSPHRASE})
    assert (await right.json())["title"] == "Secret title"
    assert (await host.client.get(f"/i/{mine['slug']}/original", headers={"X-Passphrase": PASSPHRASE})).status == 200
    wrong = await host.client.get(path, headers={"X-Passphrase": "guess"})
    assert (wrong.status, (await wrong.json())["code"]) == (403, "passphrase-wrong")


async def test_the_delete_token_shows_everything(host: Host, mine: dict[str, Any]) -> None:
    path, token = f"/api/v1/images/{mine['slug']}", bearer(mine["delete_token"])
    resource = await (await host.client.get(path, headers=token)).json()
    assert (resource["title"], resource["locked"], resource["one_view"]) == ("Secret title", True, False)
    await problem_of_lock(await host.client.get(path, headers=bearer("wrong")))


@pytest.mark.parametrize("field", [{}, {"passphrase": ""}], ids=["alone", "with an empty field"])
async def test_the_header_locks_in_every_way_in(host: Host, jpeg: bytes, field: dict[str, str]) -> None:
    sent = {"X-Passphrase": PASSPHRASE.encode().decode("latin-1")}
    uploads = [await host.client.post("/api/v1/images", data=form(jpeg, **field), headers=sent)]
    uploads += [await way(host, jpeg, sent) for way in BY_HEADER]
    metadata = {"Upload-Metadata": encoded(**field)} if field else {}
    uploads.append(await Tus(host).post(len(jpeg), jpeg, headers=sent | metadata))
    assert {upload.status for upload in uploads} <= {200, 201}
    rows = await host.appliance.catalogue.images.page()
    assert len(rows) == len(uploads)
    for image in rows:
        await problem_of_lock(await host.client.get(f"/i/{image.slug}/original"))


@pytest.mark.parametrize("name", ["Passphrase", "password", "PASS-PHRASE", "oneView", "one-view"])
async def test_a_misspelt_name_of_what_closes_an_image_is_refused(host: Host, jpeg: bytes, name: str) -> None:
    for upload in (
        await Tus(host).post(len(jpeg), headers={"Upload-Metadata": encoded(**{name: "1"})}),
        await host.client.post("/api/v1/images", data=form(jpeg, **{name: "1"})),
        await host.client.post("/api/v1/images", data=jpeg, params={name: "1"}),
    ):
        await problem(upload, "invalid-field")
    assert await host.appliance.catalogue.images.page() == []


async def test_a_changed_passphrase_ends_every_pass(host: Host, mine: dict[str, Any]) -> None:
    slug, token = mine["slug"], mine["delete_token"]
    await unlock(host, slug, PASSPHRASE)
    before = host.client.session.cookie_jar.filter_cookies(URL(str(host.client.make_url(f"/i/{slug}"))))["pass"].value
    assert (await host.patch(slug, token, passphrase="another one")).status == 200
    host.client.session.cookie_jar.clear()
    headers = {"Cookie": f"pass={before}"}
    await problem_of_lock(await host.client.get(f"/i/{slug}/small.jpg", headers=headers))
    assert (await unlock(host, slug, "another one")).status == 303


async def test_a_pass_ends_by_itself_and_opens_nothing_else(host: Host, mine: dict[str, Any], jpeg: bytes) -> None:
    other = await host.upload(jpeg, passphrase=PASSPHRASE)
    value = (await unlock(host, mine["slug"], PASSPHRASE)).cookies["pass"].value
    host.client.session.cookie_jar.clear()
    headers = {"Cookie": f"pass={value}"}
    await problem_of_lock(await host.client.get(f"/i/{other['slug']}/small.jpg", headers=headers))
    assert (await host.client.get(f"/i/{mine['slug']}/small.jpg", headers=headers)).status == 200
    until, _, signature = value.partition(".")
    for forged in (f"{int(until) + 1}.{signature}", f"{until}.{'A' * len(signature)}", "9" * 4000, "\u0663.x", until):
        headers_of_forged = {"Cookie": f"pass={forged}"}
        await problem_of_lock(await host.client.get(f"/i/{mine['slug']}/small.jpg", headers=headers_of_forged))
    host.clock.forward(86_401)
    await problem_of_lock(await host.client.get(f"/i/{mine['slug']}/small.jpg", headers=headers))


async def test_a_lock_comes_and_goes_by_the_token(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg, title="Open")
    slug, token = image["slug"], image["delete_token"]
    shown = await host.get(f"/i/{slug}/small.jpg")  # it is in the cache of this host
    locked = await host.patch(slug, token, passphrase=PASSPHRASE)
    assert (await locked.json())["locked"] is True
    host.client.session.cookie_jar.clear()
    for headers in ({}, {"If_None_Match": shown.headers["ETag"]}, {"If_None_Match": "*"}, {"Range": "bytes=0-9"}):
        await problem_of_lock(await host.get(f"/i/{slug}/small.jpg", **headers))
    assert (await host.client.head(f"/i/{slug}/small.jpg")).status == 401
    assert (await host.patch(slug, token, title="New title")).status == 200
    host.client.session.cookie_jar.clear()
    await problem_of_lock(await host.get(f"/i/{slug}/small.jpg"))
    await problem(await host.patch(slug, None, passphrase=None), "token-required")
    assert (await host.patch(slug, token, passphrase=None)).status == 200
    shown = await host.get(f"/i/{slug}/small.jpg")
    assert (shown.status, shown.headers["Access-Control-Allow-Origin"]) == (200, "*")


async def test_of_a_passphrase_only_a_hash_is_kept(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    await host.patch(image["slug"], image["delete_token"], passphrase=PASSPHRASE)
    row = await host.appliance.catalogue.images.get(image["slug"])
    assert isinstance(row, Image)
    assert row.lock is not None
    assert row.lock.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSPHRASE not in repr(row)


@pytest.mark.parametrize("passphrase", ["x" * 1025, "ä" * 600])
async def test_a_passphrase_that_is_too_long_is_refused_before_anything_is_kept(
    host: Host, jpeg: bytes, passphrase: str
) -> None:
    body = await problem(await host.post(jpeg, passphrase=passphrase), "invalid-field")
    assert (body["limit"], body["actual"]) == (1024, len(passphrase.encode()))
    assert host.files("spool/landed") == []


async def test_an_address_is_no_place_for_a_passphrase(host: Host, jpeg: bytes) -> None:
    await problem(await host.client.post("/api/v1/images?passphrase=x", data=jpeg), "invalid-field")
    reply = await host.client.put("/cat.jpg", data=jpeg, headers={"X-Passphrase": PASSPHRASE})
    slug = (await reply.text()).strip().rpartition("/")[2]
    await problem_of_lock(await host.get(f"/i/{slug}/original"))


async def test_guesses_are_counted_before_they_are_checked(host: Host, mine: dict[str, Any]) -> None:
    row = await host.appliance.delivery.resolve(mine["slug"])
    assert row.lock is not None
    for number in range(BY_ADDRESS):
        with pytest.raises(WrongPassphrase):
            await host.appliance.locksmith.require(f"guess {number}", row.slug, row.lock, Client("127.0.0.1"))
    refused = await unlock(host, mine["slug"], PASSPHRASE)
    assert (refused.status, refused.headers["Retry-After"]) == (429, str(WINDOW_S // BY_ADDRESS))
    host.clock.forward(WINDOW_S // BY_ADDRESS)
    assert (await unlock(host, mine["slug"], PASSPHRASE)).status == 303


async def test_the_form_works_without_a_script(host: Host, mine: dict[str, Any]) -> None:
    slug = mine["slug"]
    asked = await host.client.get(f"/i/{slug}/original", headers=HTML)
    assert f'action="/i/{slug}/unlock"' in await asked.text()
    wrong = await unlock(host, slug, "guess", **HTML)
    text = await wrong.text()
    assert wrong.status == 403
    assert "The passphrase is wrong." in text
    assert f'action="/i/{slug}/unlock"' in text
    owner = await host.client.post(
        f"/i/{slug}/manage", data={"token": mine["delete_token"], "action": "save"}, headers=HTML
    )
    assert "Secret title" in await owner.text()
    assert (await host.client.get(f"/i/{slug}", headers=HTML)).status == 200
    host.client.session.cookie_jar.clear()
    assert (await unlock(host, "1yNqEvM1Xh6dnaz5k", "guess")).status == 404
    stranger = await host.client.post(f"/i/{slug}/manage", data={"token": "wrong", "action": "save"}, headers=HTML)
    assert stranger.status == 403
    assert "ecret" not in await stranger.text()


async def test_its_upload_tells_nothing_either(host: Host) -> None:
    metadata = "filename c2VjcmV0LmpwZw==,title U2VjcmV0,passphrase eA=="
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1000", "Upload-Metadata": metadata}
    created = await host.client.post("/api/v1/uploads", headers=headers)
    assert created.status == 201
    head = await host.client.head(created.headers["Location"], headers={"Tus-Resumable": "1.0.0"})
    assert head.headers["Upload-Metadata"] == "filename c2VjcmV0LmpwZw==,title U2VjcmV0"
    state = await (await host.client.get(created.headers["Location"])).json()
    slug = state["image"]["slug"]
    assert state["image"]["title"] == "Secret"
    for path, accept in ((f"/api/v1/images/{slug}", "*/*"), (f"/i/{slug}", "text/html")):
        text = await (await host.client.get(path, headers={"Accept": accept})).text()
        assert "ecret" not in text


async def test_its_owner_opens_the_manage_page_and_changes_nothing(host: Host, mine: dict[str, Any]) -> None:
    path = f"/i/{mine['slug']}/manage"
    asked = await (await host.client.get(path, headers=HTML)).text()
    assert '<button class="quiet" name="action" value="open">' in asked
    for token, status, words in ((mine["delete_token"], 200, "Secret title"), ("wrong", 403, "This image is locked")):
        page = await host.client.post(path, data={"token": token, "action": "open"}, headers=HTML)
        text = await page.text()
        assert (page.status, words in text, "Saved." in text) == (status, True, False)
        host.client.session.cookie_jar.clear()


async def test_the_addresses_of_its_forms_lead_to_it(host: Host, mine: dict[str, Any]) -> None:
    wrong = await (await unlock(host, mine["slug"], "guess", **HTML)).text()
    assert re.search(r'<input id="passphrase"[^>]* autofocus[ >]', wrong)
    for path in ("/i/{}/unlock", "/i/{}/view", "/a/{}/unlock"):
        reply = await host.client.get(path.format(mine["slug"]), allow_redirects=False)
        assert (reply.status, reply.headers["Location"]) == (303, path.format(mine["slug"]).rpartition("/")[0])


async def test_an_owner_who_opens_it_by_the_token_has_saved_nothing(host: Host, mine: dict[str, Any]) -> None:
    fields = {"token": mine["delete_token"], "action": "save"}
    page = await host.client.post(f"/i/{mine['slug']}/manage", data=fields, headers=HTML)
    assert "Saved." not in await page.text()
    saved = await host.client.post(f"/i/{mine['slug']}/manage", data=fields | {"title": "New"}, headers=HTML)
    assert "Saved." in await saved.text()
