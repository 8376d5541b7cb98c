"""Guest links without JavaScript: the owner makes and closes one by forms, and guests add images by the plain form."""

import re
from html import unescape

from tests.support.access import form
from tests.support.albums import made, send, shown, uploaded
from tests.support.host import Host
from tests.support.invites import BROWSER, album_with_invite, close, guest, listed, token_of


async def test_the_owner_makes_and_closes_a_link_by_forms(host: Host, jpeg: bytes) -> None:
    album = await made(host, await uploaded(host, 1), title="Wedding")
    path = f"/a/{album['slug']}/invites"
    manage = await (await host.client.get(f"/a/{album['slug']}/manage", headers=BROWSER)).text()
    assert f'formaction="{path}"' in manage
    options = {"expires_in": "7d", "max_images": "5", "max_bytes": "2000000000", "sees": "album"}
    response = await send(host, path, token=album["delete_token"], action="make", **options)
    page = await response.text()
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert 'src="data:image/svg+xml;base64,' in page
    [link] = re.findall(r'value="[^"]*(/c/[^"]+)"', page)
    guests = unescape(await (await host.client.get(link, headers=BROWSER)).text())
    assert "Add images to <bdi>Wedding</bdi>" in guests
    assert "5 images can still be added, up to 2 GB in all." in guests
    assert f'href="/a/{album["slug"]}"' in guests
    response = await host.client.post(link, data=form(jpeg), headers=BROWSER)
    done = await response.text()
    assert response.status == 201
    assert f'href="{link}"' in done, "another one can be added"
    assert len((await shown(host, album))["images"]) == 2
    [known] = await listed(host, album)
    page = await (await send(host, path, token=album["delete_token"])).text()
    assert "1 of 5 images" in page
    assert link not in page
    page = await (await send(host, path, token=album["delete_token"], close=known["id"])).text()
    assert "Closed" in page
    assert (await host.client.get(link, headers=BROWSER)).status == 410
    response = await host.client.post(link, data=form(jpeg), headers=BROWSER)
    assert (response.status, response.content_type) == (410, "text/html")


async def test_problems_are_shown_where_they_were_made(host: Host) -> None:
    album, invite = await album_with_invite(host)
    path, token = f"/a/{album['slug']}/invites", album["delete_token"]
    response = await send(host, path, token=token, action="make", max_images="many")
    assert (response.status, "whole number" in await response.text()) == (400, True)
    assert (await send(host, path, token="wrong", action="make")).status == 403
    assert (await send(host, path, token="")).status == 401
    response = await host.client.get(path, headers=BROWSER, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, f"/a/{album['slug']}/manage")
    link = f"/c/{token_of(invite)}"
    response = await host.client.post(link, data=form(b"no image", title="Cake"), headers=BROWSER)
    page = await response.text()
    assert response.status == 415
    assert 'value="Cake"' in page
    assert f'action="{link}"' in page
    assert len(await listed(host, album)) == 1


async def test_an_invite_that_ends_while_its_form_comes_is_told_in_words(host: Host, jpeg: bytes) -> None:
    album, invite = await album_with_invite(host)
    assert (await close(host, album, invite)).status == 204
    response = await host.client.post("/", data=form(jpeg, invite=token_of(invite)), headers=BROWSER)
    assert response.status == 410
    assert "The owner of the album has closed this guest link." in unescape(await response.text())
    response = await host.client.put("/a.jpg", data=jpeg, headers=guest(invite))
    assert (response.status, response.content_type) == (410, "text/plain")
