"""What opens other images and albums opens no locked one, whatever a request says of itself."""

from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.support.albums import BROWSER, made, uploaded
from tests.support.host import Host, bearer, problem
from tests.support.invites import invited, token_of
from tests.support.tus_client import Tus, encoded

PASSPHRASE = "open sesame"


@pytest.fixture
async def mine(host: Host, jpeg: bytes) -> dict[str, Any]:
    return await host.upload(jpeg, title="Secret title", passphrase=PASSPHRASE)


async def closed(reply: ClientResponse) -> None:
    assert (reply.status, (await reply.json())["code"]) == (401, "locked")


async def test_the_delete_token_of_something_else_opens_nothing(host: Host, mine: dict[str, Any]) -> None:
    [other] = await uploaded(host, 1)
    album = await made(host, [mine, other])
    locked = await made(host, [other], passphrase=PASSPHRASE)
    for token in (other["delete_token"], album["delete_token"]):
        await closed(await host.client.get(f"/i/{mine['slug']}/original", headers=bearer(token)))
    for token in (other["delete_token"], album["delete_token"]):
        await closed(await host.client.get(f"/api/v1/albums/{locked['slug']}", headers=bearer(token)))


async def test_a_guest_link_that_shows_the_album_does_not_open_it(host: Host) -> None:
    images = await uploaded(host, 2)
    album = await made(host, images, title="Secret title", passphrase=PASSPHRASE)
    invite = await invited(host, album, sees="album")
    page = await host.client.get(f"/c/{token_of(invite)}", headers=BROWSER)
    text = await page.text()
    assert page.status == 200
    assert f"/a/{album['slug']}" in text
    assert not any(image["slug"] in text for image in images)
    asked = await host.client.get(f"/api/v1/albums/{album['slug']}", headers={"X-Invite": token_of(invite)})
    await closed(asked)


@pytest.mark.parametrize(
    "name", ["X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Host", "X-Forwarded-Prefix"]
)
async def test_a_header_that_names_another_address_is_not_read(host: Host, mine: dict[str, Any], name: str) -> None:
    said = "OPTIONS" if name == "X-HTTP-Method-Override" else f"/i/{mine['slug']}/qr.svg"
    await closed(await host.client.get(f"/i/{mine['slug']}/original", headers={name: said}))


async def test_a_passphrase_on_a_part_alone_is_refused(host: Host, jpeg: bytes) -> None:
    tus, metadata = Tus(host), {"Upload-Metadata": encoded(passphrase=PASSPHRASE)}
    where = await tus.created(await tus.post(len(jpeg), headers={"Upload-Concat": "partial"} | metadata))
    assert (await tus.patch(where, 0, jpeg)).status == 204
    await problem(await tus.post(headers={"Upload-Concat": f"final;{where}"}), "invalid-field")
    assert await host.appliance.catalogue.images.page() == []


async def test_a_wrong_guest_link_leads_nowhere(host: Host, jpeg: bytes) -> None:
    album = await made(host, await uploaded(host, 1), passphrase=PASSPHRASE)
    token = token_of(await invited(host, album))
    wrong = ("B" if token[0] == "A" else "A") + token[1:]
    assert (await host.client.get(f"/c/{wrong}", headers=BROWSER)).status == 404
    refused = await host.client.post("/api/v1/images", data=jpeg, headers={"X-Invite": wrong})
    assert refused.status == 404
