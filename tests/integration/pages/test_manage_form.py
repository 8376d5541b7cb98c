"""Managing by form, without JavaScript: save, delete, undo, restore, and mistakes told on the form."""

import html
import re
from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.support.host import DAY_S, Host


@pytest.fixture
async def mine(host: Host, jpeg: bytes) -> dict[str, Any]:
    return await host.upload(jpeg, title="Cat", expires_in="60")


async def send(host: Host, slug: str, **fields: str) -> ClientResponse:
    return await host.client.post(f"/i/{slug}/manage", data=fields, headers={"Accept": "text/html"})


async def shown(host: Host, slug: str) -> dict[str, Any]:
    resource: dict[str, Any] = await (await host.get(f"/api/v1/images/{slug}")).json()
    return resource


def field(page: str, name: str) -> str:
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert tag, page
    value = re.search(r'value="([^"]*)"', tag[0])
    return value[1] if value else ""


async def test_the_form_saves_and_keeps_the_token_for_the_next_change(host: Host, mine: dict[str, Any]) -> None:
    reply = await send(host, mine["slug"], token=mine["delete_token"], title="Katze", alt="Grau", expires_in="30d")
    page = await reply.text()
    assert reply.status == 200
    assert "Saved." in page
    assert field(page, "token") == mine["delete_token"]
    now = await shown(host, mine["slug"])
    assert (now["title"], now["alt"]) == ("Katze", "Grau")
    row = await host.appliance.delivery.resolve(mine["slug"])
    assert row.expires_s == int(host.clock()) + 30 * DAY_S


async def test_fields_that_are_empty_or_absent_change_what_they_say(host: Host, mine: dict[str, Any]) -> None:
    await send(host, mine["slug"], token=mine["delete_token"], title="", expires_in="")
    now = await shown(host, mine["slug"])
    assert (now["title"], now["expires_at"]) == (None, mine["expires_at"])


async def test_a_whole_manage_link_is_taken_for_the_token(host: Host, mine: dict[str, Any]) -> None:
    link = f" {mine['url']}#{mine['delete_token']} "
    assert (await send(host, mine["slug"], token=link, title="By link")).status == 200
    assert (await shown(host, mine["slug"]))["title"] == "By link"


@pytest.mark.parametrize(("token", "status"), [("wrong", 403), ("", 401)])
async def test_a_wrong_token_keeps_the_form_and_what_was_typed(
    host: Host, mine: dict[str, Any], token: str, status: int
) -> None:
    reply = await send(host, mine["slug"], token=token, title="Typed with care")
    page = await reply.text()
    assert (reply.status, reply.content_type) == (status, "text/html")
    assert ("WWW-Authenticate" in reply.headers) == (status == 401)
    assert "delete token" in page
    assert field(page, "title") == "Typed with care"
    assert field(page, "token") == ""
    assert (await shown(host, mine["slug"]))["title"] == "Cat"


FOR_PEOPLE = {
    "The delete token is missing. It is the last part of the manage link.": {},
    "A text is too long: it has 2,001 characters, but at most 2,000 are allowed.": {"alt": "x" * 2001},
    "A field has an invalid value. Check what you entered.": {"title": "a\x00b"},
    "An image can be kept for up to 730 days.": {"expires_in": "4000d"},
    "The expiry is not valid. Choose another one.": {"expires_in": "soon"},
    "The request can't be read. Reload the page and try again.": {"action": "paint"},
    "This is too much text. Enter less and try again.": {"alt": "x" * 70_000},
}


@pytest.mark.parametrize(("sentence", "fields"), FOR_PEOPLE.items())
async def test_a_mistake_is_explained_without_names_of_fields_and_headers(
    host: Host, mine: dict[str, Any], sentence: str, fields: dict[str, str]
) -> None:
    token = {"token": mine["delete_token"]} if fields else {}
    page = html.unescape(await (await send(host, mine["slug"], **token, **fields)).text())
    assert sentence in page


async def test_a_mistake_keeps_the_token_and_what_was_typed(host: Host, mine: dict[str, Any]) -> None:
    reply = await send(host, mine["slug"], token=mine["delete_token"], title="x" * 201)
    page = await reply.text()
    assert reply.status == 400
    assert "at most 200" in page
    assert field(page, "token") == mine["delete_token"]
    assert (await send(host, mine["slug"], token=mine["delete_token"], expires_in="soon")).status == 400


@pytest.mark.parametrize(
    ("action", "heading", "back"), [("delete", "Moved to the bin", "restore"), ("delete-now", "Image deleted", "undo")]
)
async def test_an_image_is_deleted_and_restored_by_form(
    host: Host, mine: dict[str, Any], action: str, heading: str, back: str
) -> None:
    slug, token = mine["slug"], mine["delete_token"]
    page = await (await send(host, slug, token=token, action=action)).text()
    assert heading in page
    assert f'value="{back}"' in page
    assert field(page, "token") == token
    assert (await host.get(f"/i/{slug}")).status == 410
    page = await (await send(host, slug, token=token, action=back)).text()
    assert "Image restored." in page
    assert (await host.get(f"/i/{slug}")).status == 200


async def test_the_page_of_an_image_in_the_bin_restores_or_deletes_it_now(host: Host, mine: dict[str, Any]) -> None:
    await send(host, mine["slug"], token=mine["delete_token"], action="delete")
    page = await (await host.get(f"/i/{mine['slug']}", Accept="text/html")).text()
    assert "This image was deleted" in page
    assert "can be restored until" not in page  # a stranger is told no date
    wrong = await send(host, mine["slug"], token="wrong", action="delete-now")
    assert wrong.status == 403
    assert 'value="delete-now"' in await wrong.text()
    assert (await send(host, mine["slug"], token=mine["delete_token"], action="delete-now")).status == 200
    page = await (await host.get(f"/i/{mine['slug']}", Accept="text/html")).text()
    assert 'value="restore"' not in page
    assert await host.erase() == 1


async def test_an_undo_that_comes_too_late_is_told(host: Host, mine: dict[str, Any]) -> None:
    await send(host, mine["slug"], token=mine["delete_token"], action="delete-now")
    await host.erase()
    reply = await send(host, mine["slug"], token=mine["delete_token"], action="undo")
    assert (reply.status, reply.content_type) == (410, "text/html")


async def test_an_expired_picture_is_restored_by_the_form_on_its_page(host: Host, mine: dict[str, Any]) -> None:
    host.clock.forward(61)
    page = await (await host.get(f"/i/{mine['slug']}", Accept="text/html")).text()
    assert f'action="/i/{mine["slug"]}/manage"' in page
    reply = await send(host, mine["slug"], token="wrong", action="restore")
    text = await reply.text()
    assert reply.status == 403
    assert 'value="restore"' in text  # another try
    assert (await send(host, mine["slug"], token=mine["delete_token"], action="restore")).status == 200
    assert (await host.get(f"/i/{mine['slug']}")).status == 200


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"token=x&action=burn", "application/x-www-form-urlencoded", 400),
        (b"x" * 100_000, "application/x-www-form-urlencoded", 413),
        (b"--b\r\n", "multipart/form-data", 400),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b", 400),
        (b"--b\r\nX: " + b"x" * 20_000, "multipart/form-data; boundary=b", 400),
        (b"token=%ff", "application/x-www-form-urlencoded; charset=klingon", 400),
    ],
)
async def test_forms_that_can_not_be_read(
    host: Host, mine: dict[str, Any], body: bytes, media_type: str, status: int
) -> None:
    headers = {"Content-Type": media_type, "Accept": "text/html"}
    reply = await host.client.post(f"/i/{mine['slug']}/manage", data=body, headers=headers)
    assert (reply.status, reply.content_type) == (status, "text/html")
    assert (await host.get(f"/i/{mine['slug']}")).status == 200


async def test_an_unknown_picture_has_no_form(host: Host) -> None:
    reply = await send(host, "0" * 17, token="x", action="delete")
    assert (reply.status, reply.content_type) == (404, "text/html")
