"""Who is banned is refused before anything of a request is read, and told why and until when."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from appliance.access.bans import NewBan
from appliance.config.model import Server
from appliance.domain.access_keys import Scope
from appliance.domain.errors import ApplianceError
from tests.support.access import BY_FIELD, BY_HEADER, Way, minted
from tests.support.host import Host, OpenHost, bearer, problem
from tests.support.invites import album_with_invite, token_of

BANNED, NEIGHBOUR = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "198.51.100.1"}


@pytest.fixture
async def proxied(open_host: OpenHost) -> Host:
    """A host behind a trusted proxy, so that a test can be many clients."""
    return await open_host(server=Server(trusted_proxies=("127.0.0.1",)))


async def ban(host: Host, whom: str, **fields: object) -> None:
    await host.appliance.bans.add(NewBan(whom, **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("way", BY_HEADER)
async def test_no_way_to_upload_is_open_to_who_is_banned(proxied: Host, jpeg: bytes, way: Way) -> None:
    await ban(proxied, "192.0.2.0/24")
    assert (await way(proxied, jpeg, BANNED)).status == 403
    assert (await way(proxied, jpeg, NEIGHBOUR)).status < 300


async def test_the_problem_says_why_and_until_when(proxied: Host, jpeg: bytes) -> None:
    await ban(proxied, "192.0.2.1", reason="Spam", until_s=int(proxied.clock()) + 3600)
    refused = await problem(await proxied.client.post("/api/v1/images", data=jpeg, headers=BANNED), "banned")
    assert refused["reason"] == "Spam."
    assert refused["until"] == "2026-09-21T15:13:20Z"
    assert "until 2026-09-21 15:13 UTC. Reason: Spam." in refused["detail"]
    assert proxied.counted("banned_total") == 1
    proxied.clock.forward(3600)
    assert (await proxied.client.post("/api/v1/images", data=jpeg, headers=BANNED)).status == 201


async def test_a_page_says_it_in_its_language(proxied: Host, jpeg: bytes) -> None:
    await ban(proxied, "192.0.2.1", reason="Spam <b>", until_s=int(proxied.clock()) + 3600)
    for language, words in (("en", "until 21 September 2026, 15:13 UTC"), ("de", "bis 21. September 2026, 15:13 UTC")):
        headers = BANNED | {"Accept": "text/html", "Accept-Language": language}
        page = await (await proxied.client.post("/", data=jpeg, headers=headers)).text()
        assert words in page
        assert "Spam &lt;b&gt;." in page


async def test_the_pages_for_uploads_say_it_in_the_place_of_their_form(proxied: Host) -> None:
    await ban(proxied, "192.0.2.1", reason="Spam", until_s=int(proxied.clock()) + 3600)
    _, invite = await album_with_invite(proxied)
    for path in ("/", "/a", f"/c/{token_of(invite)}"):
        for language, words in (
            ("en", "Uploads from here are blocked until <time"),
            ("de", "Von hier aus sind Uploads bis <time"),
        ):
            headers = {"Accept": "text/html", "Accept-Language": language}
            page = await proxied.client.get(path, headers=BANNED | headers)
            assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
            text = await page.text()
            assert words in text
            assert "2026-09-21T15:13:20Z" in text
            assert "Spam." in text
            assert "<form" not in text
            assert "<form" in await (await proxied.client.get(path, headers=NEIGHBOUR | headers)).text()


async def test_who_is_banned_learns_by_program_that_nothing_can_be_uploaded(proxied: Host) -> None:
    await ban(proxied, "192.0.2.1", reason="Spam")
    key = bearer(await minted(proxied))
    for sent, expected in ((BANNED, False), (BANNED | key, False), (NEIGHBOUR | key, True), (NEIGHBOUR, True)):
        me = await (await proxied.client.get("/api/v1/me", headers=sent)).json()
        assert me["may_upload"] is expected
    refused = await proxied.client.post("/", data=b"", headers=BANNED | {"Accept": "text/html"})
    assert '<a class="button" href="/">' not in await refused.text()


async def test_health_is_told_to_a_banned_network(proxied: Host) -> None:
    await ban(proxied, "192.0.2.1", views=True)
    assert [(await proxied.client.get(path, headers=BANNED)).status for path in ("/healthz", "/readyz", "/")] == [
        200,
        200,
        403,
    ]


@pytest.mark.parametrize("name", ["healthz", "readyz", "healthz.jpg", "static"])
async def test_no_name_of_a_file_lets_a_banned_client_in(proxied: Host, jpeg: bytes, name: str) -> None:
    await ban(proxied, "192.0.2.1")
    assert (await proxied.client.put(f"/{name}", data=jpeg, headers=BANNED)).status == 403


async def test_changes_are_refused_and_views_are_not(proxied: Host, jpeg: bytes) -> None:
    image = await proxied.upload(jpeg)
    await ban(proxied, "192.0.2.1")
    headers = BANNED | bearer(image["delete_token"])
    path = f"/api/v1/images/{image['slug']}"
    await problem(await proxied.client.patch(path, json={"title": "x"}, headers=headers), "banned")
    await problem(await proxied.client.delete(path, headers=headers), "banned")
    await problem(
        await proxied.client.post("/api/v1/albums", json={"images": [image["slug"]]}, headers=BANNED), "banned"
    )
    for shown in (path, f"/i/{image['slug']}", f"/i/{image['slug']}/small.jpg", "/"):
        assert (await proxied.client.get(shown, headers=BANNED)).status == 200


async def test_a_ban_of_views_shows_nothing_but_what_its_page_needs(proxied: Host, jpeg: bytes) -> None:
    image = await proxied.upload(jpeg)
    await ban(proxied, "192.0.2.1", views=True)
    for hidden in (f"/i/{image['slug']}", f"/i/{image['slug']}/small.jpg", f"/api/v1/images/{image['slug']}", "/"):
        assert (await proxied.client.get(hidden, headers=BANNED)).status == 403
    assert (await proxied.client.get("/static/favicon.svg", headers=BANNED)).status == 200


async def test_who_is_banned_can_still_open_what_is_locked(proxied: Host, jpeg: bytes) -> None:
    image = await proxied.upload(jpeg, passphrase="open sesame")
    await ban(proxied, "192.0.2.1")
    opened = await proxied.client.post(
        f"/i/{image['slug']}/unlock", data={"passphrase": "open sesame"}, headers=BANNED, allow_redirects=False
    )
    assert opened.status == 303
    assert (await proxied.client.put("/view", data=jpeg, headers=BANNED)).status == 403


async def test_mapped_addresses_are_those_that_they_map(proxied: Host, jpeg: bytes) -> None:
    await ban(proxied, "::ffff:192.0.2.0/120")
    for address in ("192.0.2.9", "::ffff:192.0.2.9", "64:ff9b::192.0.2.9"):
        headers = {"X-Forwarded-For": address}
        await problem(await proxied.client.post("/api/v1/images", data=jpeg, headers=headers), "banned")


async def test_a_banned_key_is_refused_from_everywhere_and_by_every_way(proxied: Host, jpeg: bytes) -> None:
    key, other = await minted(proxied), await minted(proxied, "other")
    await ban(proxied, "scanner")
    for way in BY_HEADER:
        assert (await way(proxied, jpeg, bearer(key))).status == 403
        assert (await way(proxied, jpeg, bearer(other))).status < 300
    for field in BY_FIELD:
        assert (await field(proxied, jpeg, key)).status == 403
    assert (await proxied.client.get("/api/v1/me", headers=bearer(key))).status == 200


async def test_no_key_lets_anybody_in_from_a_banned_network(proxied: Host, jpeg: bytes) -> None:
    key = await minted(proxied, scopes=(Scope.UPLOAD,))
    await ban(proxied, "192.0.2.1")
    refused = await proxied.client.post("/api/v1/images", data=jpeg, headers=BANNED | bearer(key))
    await problem(refused, "banned")


async def test_nothing_of_the_body_is_asked_for(proxied: Host) -> None:
    await ban(proxied, "192.0.2.1")
    asked_for = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        asked_for.set()
        yield b"\xff\xd8"

    refused = await proxied.client.post("/api/v1/images", data=body(), headers=BANNED, expect100=True)
    await problem(refused, "banned")
    assert not asked_for.is_set()


@pytest.mark.parametrize("whom", ["127.0.0.1", "127.0.0.0/8", "::1", "0.0.0.0/0", "10.1.2.3", "10.0.0.0/8", "::/0"])
async def test_this_machine_and_trusted_proxies_are_banned_by_force_alone(open_host: OpenHost, whom: str) -> None:
    host = await open_host(server=Server(trusted_proxies=("10.1.2.0/24",)))
    with pytest.raises(ApplianceError, match="Use --force"):
        await ban(host, whom)
    await ban(host, whom, force=True)
    assert len(await host.appliance.bans.all()) == 1


async def test_who_is_banned_learns_that_they_may_not_upload(proxied: Host) -> None:
    key = await minted(proxied)
    await ban(proxied, "192.0.2.1")
    for headers in (BANNED, BANNED | bearer(key)):
        me = await proxied.client.get("/api/v1/me", headers=headers)
        assert me.status == 200
        assert (await me.json())["may_upload"] is False


async def test_a_supervisor_in_a_banned_network_still_learns_how_the_host_is(proxied: Host) -> None:
    await ban(proxied, "192.0.2.0/24", views=True)
    for path in ("/healthz", "/readyz"):
        assert (await proxied.client.get(path, headers=BANNED)).status == 200
        assert (await proxied.client.put(path, data=b"x", headers=BANNED)).status == 403
