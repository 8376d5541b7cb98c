"""If-Match: a change or deletion is meant for the version that its client has seen, and for no other."""

from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.support.albums import made
from tests.support.host import Host, bearer, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")
KINDS = pytest.mark.parametrize("kind", ["images", "albums"])


async def created(host: Host, kind: str, jpeg: bytes) -> dict[str, Any]:
    image = await host.upload(jpeg)
    return image if kind == "images" else await made(host, [image])


async def patch(host: Host, kind: str, item: dict[str, Any], title: str, if_match: str) -> ClientResponse:
    headers = bearer(item["delete_token"]) | {"If-Match": if_match}
    return await host.client.patch(f"/api/v1/{kind}/{item['slug']}", json={"title": title}, headers=headers)


async def delete(host: Host, kind: str, item: dict[str, Any], if_match: str) -> ClientResponse:
    headers = bearer(item["delete_token"]) | {"If-Match": if_match}
    return await host.client.delete(f"/api/v1/{kind}/{item['slug']}", headers=headers)


async def etag(host: Host, kind: str, item: dict[str, Any]) -> str:
    return (await host.get(f"/api/v1/{kind}/{item['slug']}")).headers["ETag"]


@KINDS
async def test_a_change_needs_the_version_that_was_seen(shared: Host, jpeg: bytes, kind: str) -> None:
    item = await created(shared, kind, jpeg)
    first = await etag(shared, kind, item)
    reply = await patch(shared, kind, item, "One", first)
    assert reply.status == 200
    second = reply.headers["ETag"]
    assert second == await etag(shared, kind, item) != first
    await problem(await patch(shared, kind, item, "Two", first), "precondition-failed")
    resource = await (await shared.get(f"/api/v1/{kind}/{item['slug']}")).json()
    assert resource["title"] == "One"
    assert (await patch(shared, kind, item, "Two", f"{first}, {second}")).status == 200


@KINDS
async def test_a_deletion_needs_the_version_that_was_seen(shared: Host, jpeg: bytes, kind: str) -> None:
    item = await created(shared, kind, jpeg)
    first = await etag(shared, kind, item)
    second = (await patch(shared, kind, item, "One", "*")).headers["ETag"]
    await problem(await delete(shared, kind, item, first), "precondition-failed")
    assert (await shared.get(f"/api/v1/{kind}/{item['slug']}")).status == 200
    assert (await delete(shared, kind, item, second)).status == 204


@KINDS
@pytest.mark.parametrize("given", ["", "x", '"x"', "1", '"0"', 'W/"{}"', '"999999999999999999999"'])
async def test_what_is_no_strong_etag_of_ours_matches_nothing(shared: Host, jpeg: bytes, kind: str, given: str) -> None:
    item = await created(shared, kind, jpeg)
    given = given.format((await etag(shared, kind, item)).strip('"'))
    await problem(await patch(shared, kind, item, "One", given), "precondition-failed")
    await problem(await delete(shared, kind, item, given), "precondition-failed")


async def test_the_reply_to_an_upload_has_the_etag_already(shared: Host, jpeg: bytes) -> None:
    reply = await shared.post(jpeg)
    image = await reply.json()
    assert reply.headers["ETag"] == await etag(shared, "images", image)
    reply = await shared.client.post("/api/v1/albums", json={"images": [image["slug"]]})
    assert reply.headers["ETag"] == await etag(shared, "albums", await reply.json())


@KINDS
async def test_a_wrong_token_is_told_before_a_wrong_version(shared: Host, jpeg: bytes, kind: str) -> None:
    item = await created(shared, kind, jpeg) | {"delete_token": "x" * 22}
    await problem(await patch(shared, kind, item, "One", '"0"'), "token-wrong")
    await problem(await delete(shared, kind, item, '"0"'), "token-wrong")
