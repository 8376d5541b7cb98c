"""Whatever is made counts as an upload: images on every route, and albums."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData

from tests.support.access import form
from tests.support.albums import BROWSER
from tests.support.host import Host, problem
from tests.support.images import pictures
from tests.support.invites import album_with_invite, token_of
from tests.support.proofs import solution
from tests.support.rendered_page import Page
from tests.support.tus_client import VERSION
from tests.support.writing_routes import writing_routes

Route = tuple[str, str]
OpenLimited = Callable[..., Awaitable[Host]]
ME = {"X-Forwarded-For": "192.0.2.1"}
OTHERS = {"X-Forwarded-For": "198.51.100.1"}
NEW_ALBUM = ("POST", "/api/v1/albums")
MAKING = {
    ("POST", "/"),
    ("PUT", "/"),
    ("PUT", "/{filename}"),
    ("POST", "/c/{token}"),
    ("POST", "/api/v1/images"),
    ("POST", "/api/v1/uploads"),
    ("POST", "/api/1/upload"),
    NEW_ALBUM,
    ("POST", "/a"),
}
CHANGING = ("/{slug}", "/manage", "/invites", "/{invite}", "/{id}", "/unlock", "/view")
"""How the paths end that change what is there, or continue an upload that counted when it was created."""


async def ask(host: Host, route: Route, slug: str, token: str, headers: dict[str, str]) -> ClientResponse:
    """What the route is for, as its clients send it."""
    method, path = route
    sent: dict[str, Any] = {"data": pictures.png(9, 9)}
    if path == "/api/v1/albums":
        sent = {"json": {"images": [slug]}}
    elif path == "/a":
        sent = {"data": {"images": slug}}
    elif path == "/api/v1/uploads":
        sent, headers = {}, VERSION | {"Upload-Length": "100"} | headers
    elif method == "POST" and path != "/api/v1/images":
        sent = {"data": _file_form("source" if path == "/api/1/upload" else "file")}
    filled = path.replace("{filename}", "a.png").replace("{token}", token)
    return await host.client.request(method, filled, headers=headers, **sent)


def _file_form(name: str) -> FormData:
    return form(pictures.png(9, 9), name)


def test_each_route_that_writes_makes_something_or_changes_what_is_there() -> None:
    assert {route for route in writing_routes() if not route[1].endswith(CHANGING)} == MAKING


async def test_whatever_is_made_counts_as_an_upload(open_limited: OpenLimited) -> None:
    host = await open_limited(address_uploads=3)
    album, invite = await album_with_invite(host)
    for number, (method, path) in enumerate(sorted(MAKING)):
        me = {"X-Forwarded-For": f"192.0.2.{number + 1}"}
        slug = album["images"][0]["slug"]
        replies = [await ask(host, (method, path), slug, token_of(invite), me) for _ in range(4)]
        assert (path, [reply.status for reply in replies]) == (path, [*[replies[0].status] * 3, 429])
        assert replies[0].status in (200, 201)


async def test_nothing_is_made_while_the_host_is_drained(host: Host) -> None:
    album, invite = await album_with_invite(host)
    host.appliance.drain_switch.drained = True
    for method, path in sorted(MAKING):
        reply = await ask(host, (method, path), album["images"][0]["slug"], token_of(invite), {})
        assert (path, reply.status) == (path, 503)


async def test_the_first_answer_to_an_idempotency_key_is_no_other_upload(open_limited: OpenLimited) -> None:
    host = await open_limited(address_uploads=1)
    image = await (await host.client.post("/api/v1/images", data=pictures.png(9, 9), headers=OTHERS)).json()

    async def made() -> ClientResponse:
        sent = ME | {"Idempotency-Key": "0123456789abcdef"}
        return await host.client.post("/api/v1/albums", json={"images": [image["slug"]]}, headers=sent)

    assert {(await made()).status for _ in range(3)} == {201}


@pytest.fixture
async def asking(open_limited: OpenLimited) -> tuple[Host, str]:
    """A host that asks for proofs of work, whose slow lane this network has used, and an image."""
    host = await open_limited(proof_of_work="always")
    image = await (await host.client.post("/api/v1/images", data=pictures.png(9, 9), headers=OTHERS)).json()
    replies = [await ask(host, NEW_ALBUM, image["slug"], "", ME) for _ in range(7)]
    assert replies[-1].status == 428
    return host, image["slug"]


async def test_an_album_needs_a_proof_of_work_where_an_upload_does(asking: tuple[Host, str]) -> None:
    host, slug = asking
    body = await problem(await ask(host, NEW_ALBUM, slug, "", ME), "proof-required")
    proven = ME | {"Proof-Of-Work": solution(body["challenge"])}
    assert (await ask(host, NEW_ALBUM, slug, "", proven)).status == 201
    assert (await ask(host, NEW_ALBUM, slug, "", proven)).status == 428


async def test_the_form_of_an_album_brings_the_solution_that_its_page_found(asking: tuple[Host, str]) -> None:
    host, slug = asking
    reply = await ask(host, ("POST", "/a"), slug, "", ME | BROWSER)
    [sent] = [has for has in Page(await reply.text()).all("form", action="/a") if "data-challenge" in has]
    fields = {"images": slug, "proof": solution(json.loads(sent["data-challenge"])["challenge"])}
    assert (await host.client.post("/a", data=fields, headers=ME | BROWSER)).status == 201


async def test_the_form_of_a_refused_album_asks_for_its_passphrase_again(open_limited: OpenLimited) -> None:
    host = await open_limited(address_uploads=1)
    image = await (await host.client.post("/api/v1/images", data=pictures.png(9, 9), headers=ME)).json()
    for passphrase, is_required in (("open sesame", True), ("", False)):
        sent = {"images": image["slug"], "passphrase": passphrase}
        reply = await host.client.post("/a", data=sent, headers=ME | BROWSER)
        assert reply.status == 429
        page = await reply.text()
        assert "open sesame" not in page
        (field,) = re.findall(r'<input id="passphrase"[^>]*>', page)
        assert ("required" in field) is is_required
