"""Who may upload: refused or let in by the head of the request, in every way in."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientResponse
from multidict import CIMultiDict

from appliance.config.model import Access
from appliance.domain.access_keys import KeyLimits, Scope
from tests.support.access import BY_FIELD, BY_HEADER, Way, api_field, api_form, form, minted, only_image, raw
from tests.support.host import Host, OpenHost, bearer, problem
from tests.support.tus_client import Tus, encoded
from tests.support.wire import wires

WRONG = "imgk_" + "0" * 44
IMAGES = "/api/v1/images"
KEY_ONLY = Access(uploads=("key",))


async def code(response: ClientResponse) -> str:
    """The error's code, in any form of error; empty for a success or a page."""
    if "json" not in response.content_type:
        return ""
    body: dict[str, Any] = await response.json()
    return str(body.get("code") or body.get("error", {}).get("context", ""))


@pytest.fixture
async def closed(open_host: OpenHost) -> Host:
    """A host where only keys upload."""
    return await open_host(access=KEY_ONLY)


@pytest.mark.parametrize("way", BY_HEADER)
async def test_a_key_in_a_header_opens_every_way_in(closed: Host, jpeg: bytes, way: Way) -> None:
    key = await minted(closed)
    for sent, expected in (
        ({}, "key-required"),
        ({"X-API-Key": "any"}, "key-required"),
        (bearer(WRONG), "key-invalid"),
    ):
        response = await way(closed, jpeg, sent)
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert await code(response) in (expected, "")
    assert closed.appliance.admission.in_progress == 0
    for sent in (bearer(key), {"X-API-Key": key}):
        assert (await way(closed, jpeg, sent)).status in (200, 201)
        assert (await only_image(closed)).access_key == key[5:15]


@pytest.mark.parametrize("way", BY_FIELD)
async def test_a_key_in_a_field_opens_the_forms(
    closed: Host, jpeg: bytes, way: Callable[[Host, bytes, str], Awaitable[ClientResponse]]
) -> None:
    key = await minted(closed)
    for sent in ("", "any", WRONG, key[:-1] + ("a" if key[-1] != "a" else "b")):
        assert (await way(closed, jpeg, sent)).status == 401
    assert await closed.appliance.catalogue.images.page() == []
    assert closed.files("spool/incoming") == []
    assert (await way(closed, jpeg, key)).status in (200, 201)
    assert (await only_image(closed)).access_key == key[5:15]


async def test_a_wrong_key_never_counts_as_none(host: Host, jpeg: bytes) -> None:
    assert (await raw(host, jpeg, {})).status == 201
    await problem(await raw(host, jpeg, bearer(WRONG)), "key-invalid")
    await problem(await api_field(host, jpeg, WRONG), "key-invalid")
    await problem(await host.client.get("/api/v1/limits", headers={"X-API-Key": WRONG}), "key-invalid")


@pytest.mark.parametrize("text", ["any", "imgk", ""])
async def test_what_is_no_key_is_none(host: Host, jpeg: bytes, text: str) -> None:
    assert (await raw(host, jpeg, {"X-API-Key": text})).status == 201
    assert (await api_field(host, jpeg, text)).status == 201


async def test_each_end_of_a_key_has_its_own_code_and_sentence(host: Host, jpeg: bytes) -> None:
    expiring, key, old = await minted(host, "a", expires_in_s=60), await minted(host, "b"), await minted(host, "c")
    await host.appliance.access_keys.rotate("c")
    host.clock.forward(60)
    await host.appliance.access_keys.revoke("b")
    for text, code, words in (
        (expiring, "key-expired", "has expired"),
        (key[:-2], "key-invalid", "typo"),
        (WRONG, "key-invalid", "typo"),  # by its checksum
        (key, "key-revoked", "was revoked"),
        (old, "key-rotated", "was replaced"),
    ):
        assert words in (await problem(await raw(host, jpeg, bearer(text)), code))["detail"]


async def test_of_former_secrets_the_last_one_is_known(host: Host, jpeg: bytes) -> None:
    oldest = await minted(host, "scanner")
    _, older = await host.appliance.access_keys.rotate("scanner")
    assert await code(await raw(host, jpeg, bearer(oldest))) == "key-rotated"
    await host.appliance.access_keys.rotate("scanner")
    assert await code(await raw(host, jpeg, bearer(oldest))) == "key-invalid"
    assert await code(await raw(host, jpeg, bearer(older))) == "key-rotated"
    await host.appliance.access_keys.revoke("scanner")
    assert await code(await raw(host, jpeg, bearer(older))) == "key-revoked"
    assert await code(await raw(host, jpeg, bearer(oldest))) == "key-invalid"


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "written",
    [
        lambda key: [("Authorization", key)],
        lambda key: [("Authorization", f"Token {key}")],
        lambda key: [("Authorization", f'Bearer "{key}"')],
        lambda key: [("Authorization", basic("ada", key))],
        lambda key: [("Authorization", basic(key, ""))],
        lambda key: [("Authorization", "Bearer a-delete-token"), ("Authorization", f"Bearer {key}")],
        lambda key: [("X-API-Key", f"Bearer {key}")],
        lambda key: [("X-API-Key", f'"{key}"')],
        lambda key: [("X-API-Key", "foo"), ("X-API-Key", key)],
        lambda key: [("X-API-Key", key), ("Authorization", f"Bearer {key}")],
    ],
)
async def test_a_key_counts_however_it_is_written_in_its_headers(
    host: Host, jpeg: bytes, written: Callable[[str], list[tuple[str, str]]]
) -> None:
    key = await minted(host)
    assert (await host.client.post(IMAGES, data=jpeg, headers=CIMultiDict(written(key)))).status == 201
    assert (await only_image(host)).access_key == key[5:15]
    await host.appliance.access_keys.revoke("scanner")
    await problem(await host.client.post(IMAGES, data=jpeg, headers=CIMultiDict(written(key))), "key-revoked")


async def test_a_key_that_can_not_be_meant_like_this_is_refused(host: Host, jpeg: bytes) -> None:
    key, other = await minted(host), await minted(host, "other")
    for path, sent in (
        (IMAGES, {"X-API-Key": key, "Authorization": f"Bearer {other}"}),
        (IMAGES, {"X-API-Key": f"{key}, {other}"}),
        (IMAGES, {"X-API-Key": key.upper()}),
        (f"{IMAGES}?key={key}", {}),
        (f"{IMAGES}?API_KEY=%22{key}%22", {}),
    ):
        await problem(await host.client.post(path, data=jpeg, headers=sent), "key-invalid")
    metadata = {"Upload-Metadata": encoded(key=key)}
    await problem(await Tus(host).post(len(jpeg), headers=metadata), "key-invalid")
    assert await host.appliance.catalogue.images.page() == []


async def test_a_key_in_a_field_counts_however_it_is_written(host: Host, jpeg: bytes) -> None:
    key = await minted(host)
    for fields in ({"key": f"Bearer {key}"}, {"key": f'"{key}"'}, {"api_key": key}):
        response = await host.client.post("/api/v1/images", data=form(jpeg, **fields))
        assert response.status == 201
        assert (await only_image(host)).access_key == key[5:15]


async def test_a_client_that_waits_for_100_is_refused_before_its_bytes(closed: Host) -> None:
    head = "PUT /a.jpg HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n"
    for rest, expected in (("", "401"), (f"X-API-Key: {await minted(closed)}\r\n", "100")):
        async with wires(closed.port, 1) as [wire]:
            await wire.send(f"{head}{rest}\r\n")
            assert (await wire.head()).split()[1] == expected


async def test_a_resumable_upload_is_continued_by_its_secret_and_ends_with_its_key(closed: Host, jpeg: bytes) -> None:
    key, tus = await minted(closed), Tus(closed)
    where = await tus.created(await tus.post(len(jpeg), headers=bearer(key)))
    assert (await tus.patch(where, 0, jpeg[:100])).status == 204
    await closed.appliance.access_keys.revoke("scanner")
    assert await code(await tus.patch(where, 100, jpeg[100:])) == "key-revoked"
    assert await closed.appliance.catalogue.images.page() == []


async def test_an_upload_takes_no_bytes_once_its_key_has_ended(closed: Host, jpeg: bytes) -> None:
    key, tus = await minted(closed), Tus(closed)
    where = await tus.created(await tus.post(len(jpeg), headers=bearer(key)))
    assert (await tus.patch(where, 0, jpeg[:100])).status == 204
    await closed.appliance.access_keys.revoke("scanner")
    assert await code(await tus.patch(where, 100, jpeg[100:200])) == "key-revoked"
    assert (await tus.head(where)).status == 410
    assert closed.files("spool/uploads") == []


async def test_an_upload_whose_key_is_lost_does_not_become_anonymous(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_key_id: str) -> None:
        return None

    tus = Tus(host)
    where = await tus.created(await tus.post(len(jpeg), headers=bearer(await minted(host))))
    monkeypatch.setattr(host.appliance.catalogue.keys, "get", lost)
    assert await code(await tus.patch(where, 0, jpeg)) == "key-invalid"
    assert await host.appliance.catalogue.images.page() == []


async def test_an_album_needs_a_key_where_uploads_do(closed: Host, jpeg: bytes) -> None:
    key = await minted(closed)
    image = await (await raw(closed, jpeg, bearer(key))).json()
    await problem(await closed.client.post("/api/v1/albums", json={"images": [image["slug"]]}), "key-required")
    created = await closed.client.post("/api/v1/albums", json={"images": [image["slug"]]}, headers=bearer(key))
    assert created.status == 201
    slug = (await created.json())["slug"]
    page = {"images": image["url"], "expires_in": "", "title": ""}
    assert (await closed.client.post("/a", data=page)).status == 401
    assert (await closed.client.post("/a", data=page | {"key": key})).status == 201
    other = await minted(closed, "other")
    await problem(await closed.client.delete(f"/api/v1/albums/{slug}", headers=bearer(other)), "key-scope")
    assert (await closed.client.delete(f"/api/v1/albums/{slug}", headers=bearer(key))).status == 204


async def test_views_stay_open(closed: Host, jpeg: bytes) -> None:
    image = await (await raw(closed, jpeg, bearer(await minted(closed)))).json()
    for path in ("", "/original", "/small.jpg"):
        assert (await closed.get(f"/i/{image['slug']}{path}")).status == 200


# --- scopes and limits ------------------------------------------------------------------------------------------------


async def test_a_key_changes_and_deletes_what_it_uploaded_and_nothing_else(host: Host, jpeg: bytes) -> None:
    key, bare = await minted(host), await minted(host, "bare", scopes=(Scope.UPLOAD,))
    image = await (await raw(host, jpeg, bearer(key))).json()
    others = await (await raw(host, jpeg, bearer(bare))).json()
    assert (await host.patch(image["slug"], key, title="Mine")).status == 200
    for slug, text in ((image["slug"], bare), (others["slug"], key), (others["slug"], bare)):
        await problem(await host.patch(slug, text, title="Mine"), "key-scope")
        await problem(await host.delete(slug, text), "key-scope")
    assert (await host.patch(others["slug"], others["delete_token"], title="By token")).status == 200
    assert (await host.delete(image["slug"], key)).status == 204


async def test_a_key_without_the_scope_does_not_upload(host: Host, jpeg: bytes) -> None:
    key = await minted(host, scopes=(Scope.MANAGE,))
    await problem(await raw(host, jpeg, bearer(key)), "key-scope")


@pytest.mark.parametrize(
    ("limits", "query", "expected"),
    [
        (KeyLimits(max_file_bytes=100), "", "too-large"),
        (KeyLimits(max_expiry_s=60), "?expires_in=61", "invalid-expiry"),
        (KeyLimits(max_images=0), "", "key-used-up"),
        (KeyLimits(max_bytes=100), "", "key-used-up"),
        (KeyLimits(max_images_a_day=0), "", "budget-spent"),
        (KeyLimits(max_bytes_a_day=100), "", "too-large"),
    ],
)
async def test_a_key_has_limits_of_its_own(
    host: Host, jpeg: bytes, limits: KeyLimits, query: str, expected: str
) -> None:
    key = await minted(host, limits=limits)
    response = await host.client.post(f"/api/v1/images{query}", data=jpeg, headers=bearer(key))
    told = await problem(response, expected)
    assert told["actual"] > told["limit"]
    chunked = await host.client.post(f"/api/v1/images{query}", data=_chunks(jpeg), headers=bearer(key))
    assert await code(chunked) == expected  # nothing was announced
    assert await host.appliance.catalogue.images.page() == []


async def test_only_the_file_of_a_form_counts_against_the_largest_file(host: Host, jpeg: bytes) -> None:
    exact = await minted(host, limits=KeyLimits(max_file_bytes=len(jpeg)))
    small = await minted(host, "small", limits=KeyLimits(max_file_bytes=len(jpeg) - 1))
    assert (await api_form(host, jpeg, bearer(exact))).status == 201
    told = await problem(await api_form(host, jpeg, bearer(small)), "too-large")
    assert (told["limit"], told["actual"]) == (len(jpeg) - 1, len(jpeg))


async def test_a_key_begins_only_so_many_uploads_a_minute(host: Host, jpeg: bytes) -> None:
    key = await minted(host, limits=KeyLimits(max_uploads_a_minute=2))
    assert [(await raw(host, jpeg, bearer(key))).status for _ in range(2)] == [201, 201]
    refused = await raw(host, jpeg, bearer(key))
    assert (await problem(refused, "rate-limited"))["limit"] == 2
    assert refused.headers["RateLimit-Policy"].startswith('"key-uploads-a-minute";q=2;w=60')
    host.clock.forward(int(refused.headers["Retry-After"]))
    assert (await raw(host, jpeg, bearer(key))).status == 201


async def _chunks(data: bytes) -> Any:
    yield data


async def test_a_day_s_budget_comes_back_with_the_day(host: Host, jpeg: bytes) -> None:
    key = await minted(host, limits=KeyLimits(max_images_a_day=1))
    image = await (await raw(host, jpeg, bearer(key))).json()
    assert (await host.delete(image["slug"], key)).status == 204
    await host.erase()
    response = await raw(host, jpeg, bearer(key))
    await problem(response, "budget-spent")
    left_s = int(response.headers["Retry-After"])
    assert response.headers["RateLimit-Policy"] == '"key-images-a-day";q=1;w=86400;qu="uploads"'
    assert response.headers["RateLimit"] == f'"key-images-a-day";r=0;t={left_s}'
    host.clock.forward(left_s)
    assert (await raw(host, jpeg, bearer(key))).status == 201


async def test_what_is_erased_makes_room_again(host: Host, jpeg: bytes) -> None:
    key = await minted(host, limits=KeyLimits(max_images=1))
    image = await (await raw(host, jpeg, bearer(key))).json()
    await host.delete(image["slug"], key)
    await problem(await raw(host, jpeg, bearer(key)), "key-used-up")
    await host.erase()
    assert (await raw(host, jpeg, bearer(key))).status == 201


async def test_uploads_that_come_together_do_not_pass_a_limit(host: Host, jpeg: bytes) -> None:
    key = await minted(host, limits=KeyLimits(max_images=2))
    replies = await asyncio.gather(*(raw(host, jpeg, bearer(key)) for _ in range(5)))
    assert sorted(reply.status for reply in replies) == [201, 201, 403, 403, 403]
    assert host.files("spool/landed") == []


async def test_no_image_outlives_what_its_key_allows(host: Host, jpeg: bytes) -> None:
    key = await minted(host, limits=KeyLimits(max_expiry_s=3600))
    image = await (await raw(host, jpeg, bearer(key))).json()
    row = await only_image(host)
    assert row.expires_s - row.created_s == 3600
    await problem(await host.patch(image["slug"], image["delete_token"], expires_in="2h"), "invalid-expiry")
    assert (await host.patch(image["slug"], image["delete_token"], expires_in="1h")).status == 200


async def test_a_restored_image_is_kept_no_longer_than_its_key_allows(host: Host, jpeg: bytes) -> None:
    key = await minted(host, limits=KeyLimits(max_expiry_s=3600))
    image = await (await raw(host, jpeg, bearer(key))).json()
    host.clock.forward(3601)
    assert (await host.patch(image["slug"], image["delete_token"], restore=True)).status == 200
    assert (await only_image(host)).expires_s == host.clock() + 3600


async def test_an_image_whose_view_broke_off_is_kept_no_longer_than_its_key_allows(host: Host, jpeg: bytes) -> None:
    key = await minted(host, limits=KeyLimits(max_expiry_s=3600))
    sent = await host.client.post("/api/v1/images?one_view=true", data=jpeg, headers=bearer(key))
    image = await sent.json()
    row = await only_image(host)
    now_s = int(host.clock())
    await host.appliance.catalogue.images.begin_view(
        row.slug, version=row.version, viewing="b" * 64, now_s=now_s, expires_s=now_s + 60
    )
    assert (await host.patch(image["slug"], image["delete_token"], one_view=True)).status == 200
    assert (await only_image(host)).expires_s == now_s + 3600
