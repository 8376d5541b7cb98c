"""What people mean as a lock is one, wherever and under whichever name they send it, or it is refused with words."""

from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData

from tests.support.access import form
from tests.support.albums import BROWSER, made, slugs_of, uploaded
from tests.support.host import Host, bearer, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSPHRASE = "open sesame"
LOCK = {"X-Passphrase": PASSPHRASE}


async def create_album(host: Host, query: str = "", headers: dict[str, str] | None = None, **members: str) -> Any:
    body = {"images": slugs_of(await uploaded(host, 1)), **members}
    return await host.client.post(f"/api/v1/albums{query}", json=body, headers=headers or {})


async def send_form(host: Host, fields: Mapping[str, str], **headers: str) -> ClientResponse:
    images = "\n".join(slugs_of(await uploaded(host, 1)))
    return await host.client.post("/a", data={"images": images, **fields}, headers={**BROWSER, **headers})


async def album_of(host: Host, reply: ClientResponse) -> dict[str, Any]:
    """The album that a form made, as somebody without its cookie sees it."""
    assert reply.status == 201
    host.client.session.cookie_jar.clear()
    seen: dict[str, Any] = await (await host.get(f"/api/v1/albums{reply.headers['Location'][2:]}")).json()
    return seen


async def test_an_album_is_locked_by_the_header_too(shared: Host) -> None:
    assert (await (await create_album(shared, headers=LOCK)).json())["locked"] is True
    assert (await (await create_album(shared, headers=LOCK, passphrase=PASSPHRASE)).json())["locked"] is True
    assert (await album_of(shared, await send_form(shared, {}, **LOCK)))["code"] == "locked"


async def test_an_album_is_locked_by_a_passphrase_from_a_file(shared: Host) -> None:
    """As `curl -F passphrase=@file` sends it: the line end of the file is not part of it."""
    fields = FormData({"images": "\n".join(slugs_of(await uploaded(shared, 1)))})
    fields.add_field("passphrase", f"{PASSPHRASE}\n".encode(), filename="pass.txt")
    reply = await shared.client.post("/a", data=fields, headers=BROWSER)
    assert (await album_of(shared, reply))["code"] == "locked"
    opened = await shared.client.get(f"/api/v1/albums{reply.headers['Location'][2:]}", headers=LOCK)
    assert opened.status == 200


@pytest.mark.parametrize("name", ["password", "Passphrase", "pass", "pwd", "one_view"])
async def test_the_forms_of_an_album_refuse_what_would_lock_nothing(shared: Host, name: str) -> None:
    refused = await send_form(shared, {name: "yes"})
    assert refused.status == 400
    assert name in await refused.text()
    album = await made(shared, await uploaded(shared, 1))
    fields = {"token": album["delete_token"], name: "yes"}
    refused = await shared.client.post(f"/a/{album['slug']}/manage", data=fields, headers=BROWSER)
    assert refused.status == 400


@pytest.mark.parametrize("name", ["password", "one_view"])
async def test_the_form_of_an_image_refuses_what_would_lock_nothing(shared: Host, jpeg: bytes, name: str) -> None:
    image = await shared.upload(jpeg)
    fields = {"token": image["delete_token"], name: "yes"}
    refused = await shared.client.post(f"/i/{image['slug']}/manage", data=fields, headers=BROWSER)
    assert refused.status == 400


async def test_two_passphrases_that_differ_are_refused(shared: Host, jpeg: bytes) -> None:
    await problem(await create_album(shared, headers=LOCK, passphrase="another one"), "invalid-field")
    fields = form(jpeg, passphrase="another one")
    await problem(await shared.client.post("/api/v1/images", data=fields, headers=LOCK), "invalid-field")
    twice = form(jpeg, passphrase="another one")
    twice.add_field("passphrase", PASSPHRASE)
    await problem(await shared.client.post("/api/v1/images", data=twice), "invalid-field")


@pytest.mark.parametrize("name", ["Passphrase", "X-Password", "X-One-View"])
async def test_a_header_of_a_similar_name_is_refused(shared: Host, jpeg: bytes, name: str) -> None:
    body = await problem(
        await shared.client.post("/api/v1/images", data=jpeg, headers={name: PASSPHRASE}), "invalid-field"
    )
    assert name in body["detail"]
    await problem(await create_album(shared, headers={name: PASSPHRASE}), "invalid-field")


async def test_the_address_of_an_album_is_no_place_for_a_passphrase(shared: Host) -> None:
    body = await problem(await create_album(shared, "?password=x"), "invalid-field")
    assert "X-Passphrase" in body["detail"]


@pytest.mark.parametrize(("name", "status"), [("passphrase", 201), ("password", 400), ("pwd", 400)])
async def test_a_passphrase_from_a_file_locks_an_image_or_is_refused(
    shared: Host, jpeg: bytes, name: str, status: int
) -> None:
    fields = form(f"{PASSPHRASE}\n".encode(), name)
    fields.add_field("file", jpeg, filename="a.jpg")
    reply = await shared.client.post("/api/v1/images", data=fields)
    assert reply.status == status
    if status == 201:
        image = await reply.json()
        opened = await shared.client.get(f"/api/v1/images/{image['slug']}", headers=LOCK)
        assert (opened.status, (await opened.json())["locked"]) == (200, True)


async def test_a_change_by_a_header_that_sets_nothing_is_refused(shared: Host, jpeg: bytes) -> None:
    image, album = await shared.upload(jpeg), await made(shared, await uploaded(shared, 1))
    for path, owned in (("images", image), ("albums", album)):
        sent = bearer(owned["delete_token"]) | LOCK
        address = f"/api/v1/{path}/{owned['slug']}"
        await problem(await shared.client.patch(address, json={"title": "Mine"}, headers=sent), "invalid-field")
        assert (await shared.client.patch(address, json={"passphrase": "x"}, headers=sent)).status == 200
        assert (await shared.client.patch(address, json={"title": "Mine"}, headers=sent)).status == 200
