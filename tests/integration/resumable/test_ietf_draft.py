"""The IETF's resumable uploads: exchanges written from the current draft."""

import base64
import hashlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import FormData
from multidict import CIMultiDict

from tests.support.draft_client import IMAGES, LAST, MORE, Draft, accepted_uploads, field
from tests.support.host import Host, problem
from tests.support.tus_client import Tus

pytestmark = pytest.mark.asyncio(loop_scope="module")
TYPES = "https://iana.org/assignments/http-problem-types#"


@pytest.fixture
def draft(shared: Host) -> Draft:
    return Draft(shared)


async def parts_of(data: bytes) -> AsyncIterator[bytes]:
    yield data[:1000]
    yield data[1000:]


# --- a file in one request --------------------------------------------------------------------------------------------


async def test_a_whole_file_is_answered_as_without_the_draft(draft: Draft, jpeg: bytes) -> None:
    response = await draft.post(jpeg, LAST | {"Upload-Length": str(len(jpeg))}, "?title=Cat&expires_in=2d")
    image = await response.json()
    assert response.status == 201
    assert response.headers["Location"] == response.headers["Content-Location"] == f"/i/{image['slug']}"
    assert response.headers["Upload-Complete"] == "?1"
    assert (image["title"], image["sha256"]) == ("Cat", hashlib.sha256(jpeg).hexdigest())
    assert (await draft.host.delete(image["slug"], image["delete_token"])).status == 204


async def test_the_address_is_announced_before_the_bytes_are_read(draft: Draft, jpeg: bytes) -> None:
    wire, interim = await draft.begun(len(jpeg), jpeg)
    assert interim.startswith("HTTP/1.1 104 Upload Resumption Supported\r\n")
    assert field(interim, "Upload-Draft-Interop-Version") == "9"
    assert "max-size=" in field(interim, "Upload-Limit")
    assert "max-age=" in field(interim, "Upload-Limit")
    assert "201 Created" in await wire.head()
    head = await draft.head(field(interim, "Location"))
    assert (head.headers["Upload-Complete"], head.headers["Upload-Offset"]) == ("?1", str(len(jpeg)))
    wire.abort()


@pytest.mark.parametrize("version", [None, 2, 99])
async def test_without_a_known_version_nothing_is_announced(shared: Host, jpeg: bytes, version: int | None) -> None:
    wire = await Draft(shared, version).sent(len(jpeg), jpeg)
    head = await wire.head()
    assert head.startswith("HTTP/1.1 201 Created\r\n")
    assert field(head, "Location").startswith("/i/")
    wire.abort()


async def test_the_name_comes_from_the_content_disposition_or_the_query(draft: Draft, jpeg: bytes) -> None:
    named = LAST | {"Content-Disposition": "inline; filename=\"K_se.jpg\"; filename*=UTF-8''K%C3%A4se.jpg"}
    assert (await (await draft.post(jpeg, named)).json())["filename"] == "Käse.jpg"
    assert (await (await draft.post(jpeg, named, "?filename=cat.jpg")).json())["filename"] == "cat.jpg"


async def test_a_body_without_a_length_ends_where_it_ends(draft: Draft, jpeg: bytes) -> None:
    response = await draft.post(parts_of(jpeg), LAST)
    assert (await response.json())["sha256"] == hashlib.sha256(jpeg).hexdigest()


async def test_a_form_is_stored_as_without_the_draft(shared: Host, jpeg: bytes) -> None:
    """URLSession adds the field to every upload, of forms too."""
    shared.client.session.headers.update(LAST)
    try:
        assert (await shared.post(jpeg)).status == 201
    finally:
        shared.client.session.headers.popall("Upload-Complete")


async def test_an_idempotency_key_works_for_a_whole_file(draft: Draft, jpeg: bytes) -> None:
    key = LAST | {"Idempotency-Key": "0123456789abcdef-whole"}
    first, second = [await (await draft.post(jpeg, key)).json() for _ in range(2)]
    assert first == second
    await problem(await draft.post(jpeg, key | MORE), "malformed-request")


# --- a file in several requests ---------------------------------------------------------------------------------------


async def test_a_file_in_three_requests_becomes_an_image(draft: Draft, jpeg: bytes) -> None:
    first = await draft.post(jpeg[:1000], MORE | {"Upload-Length": str(len(jpeg))}, "?title=Cheese")
    where = first.headers["Location"]
    assert (first.status, first.headers["Upload-Complete"]) == (201, "?0")
    assert where.startswith("/api/v1/resumable-uploads/")
    assert "max-size=" in first.headers["Upload-Limit"]
    second = await draft.patch(where, 1000, jpeg[1000:5000], MORE)
    assert (second.status, second.headers["Upload-Complete"]) == (204, "?0")
    last = await draft.patch(where, 5000, jpeg[5000:], LAST)
    image = await last.json()
    assert (last.status, last.headers["Upload-Complete"]) == (201, "?1")
    assert (image["title"], image["sha256"]) == ("Cheese", hashlib.sha256(jpeg).hexdigest())
    assert (await draft.state(where))["image"]["delete_token"] == image["delete_token"]


async def test_the_offset_is_shown_with_length_limits_and_completeness(draft: Draft, jpeg: bytes) -> None:
    where = await draft.create(jpeg[:1000], {"Upload-Length": str(len(jpeg))})
    head = await draft.head(where)
    assert head.status == 204
    assert head.headers["Upload-Offset"] == "1000"
    assert head.headers["Upload-Complete"] == "?0"
    assert head.headers["Upload-Length"] == str(len(jpeg))
    assert head.headers["Cache-Control"] == "no-store"
    assert "max-age=" in head.headers["Upload-Limit"]
    assert "Upload-Length" not in (await draft.head(await draft.create())).headers


async def test_parts_are_refused_where_only_whole_files_are_accepted(shared: Host, jpeg: bytes) -> None:
    before = accepted_uploads(shared)
    for named in (MORE, {"Upload-Incomplete": "?1"}):
        put = await shared.client.put("/cat.jpg", data=jpeg, headers=named)
        assert put.status == 400
        form = FormData()
        form.add_field("file", jpeg, filename="cat.jpg")
        await problem(await shared.client.post(IMAGES, data=form, headers=named), "malformed-request")
        chevereto = await shared.client.post("/api/1/upload", data=jpeg, headers=named)
        assert chevereto.status == 400
    await problem(await shared.client.post(IMAGES, data=jpeg, headers={"Upload-Incomplete": "?1"}), "malformed-request")
    assert accepted_uploads(shared) == before


@pytest.mark.parametrize("lines", [["?1", "?0"], ["?0, ?0"], ["?1, ?0"]])
async def test_contradicting_values_of_the_field_count_as_incomplete(
    draft: Draft, jpeg: bytes, lines: list[str]
) -> None:
    """In lines of their own, or in one, into which proxies may join them."""
    headers = CIMultiDict([("Upload-Complete", line) for line in lines])
    response = await draft.host.client.post(IMAGES, data=jpeg, headers=headers)
    assert response.headers["Upload-Complete"] == "?0"


# --- what breaks ------------------------------------------------------------------------------------------------------


async def test_a_wrong_offset_gets_the_right_one(draft: Draft, jpeg: bytes) -> None:
    where = await draft.create(jpeg[:1000])
    response = await draft.patch(where, 900, jpeg[900:], LAST)
    found = await problem(response, "offset-mismatch")
    assert (response.status, response.headers["Upload-Offset"]) == (409, "1000")
    assert found["type"] == f"{TYPES}mismatching-upload-offset"
    assert (found["expected-offset"], found["provided-offset"]) == (1000, 900)
    assert await draft.offset(where) == 1000


async def test_a_complete_upload_accepts_nothing_more(draft: Draft, jpeg: bytes) -> None:
    where = await draft.create(jpeg)
    assert (await draft.patch(where, len(jpeg), b"", LAST)).status == 201
    again = await draft.patch(where, len(jpeg), b"", LAST)
    assert (await problem(again, "completed-upload"))["type"] == f"{TYPES}completed-upload"
    assert again.headers["Upload-Complete"] == "?1"
    more = await draft.patch(where, len(jpeg), b"more", MORE)
    assert (await problem(more, "inconsistent-upload-length"))["type"] == f"{TYPES}inconsistent-upload-length"


@pytest.mark.parametrize("length", [1, 10**6])
async def test_lengths_that_contradict_each_other_are_refused(draft: Draft, jpeg: bytes, length: int) -> None:
    declared = {"Upload-Length": str(length)}
    response = await draft.post(jpeg, LAST | declared)
    assert (await problem(response, "inconsistent-upload-length"))["type"] == f"{TYPES}inconsistent-upload-length"
    where = await draft.create(jpeg[:1], {"Upload-Length": str(len(jpeg))})
    await problem(await draft.patch(where, 1, jpeg[1:-1], LAST), "inconsistent-upload-length")
    await problem(await draft.patch(where, 1, jpeg[1:] + b"x", MORE), "inconsistent-upload-length")
    await problem(await draft.patch(where, 1, parts_of(jpeg[1:-1]), LAST), "inconsistent-upload-length")
    assert (await draft.head(where)).headers["Upload-Complete"] == "?0"


async def test_what_is_no_image_is_refused_as_complete(draft: Draft) -> None:
    where = await draft.create(b"no ")
    response = await draft.patch(where, 3, b"image", LAST)
    await problem(response, "not-an-image")
    assert response.headers["Upload-Complete"] == "?1"
    assert (await draft.head(where)).status == 415
    assert (await draft.state(where))["problem"]["code"] == "not-an-image"


async def test_an_empty_file_is_refused(draft: Draft) -> None:
    await problem(await draft.post(b"", LAST), "empty-upload")
    await problem(await draft.patch(await draft.create(), 0, b"", LAST), "empty-upload")


async def test_what_is_too_large_is_refused_with_the_limit(draft: Draft, jpeg: bytes) -> None:
    max_bytes = draft.host.appliance.config.uploads.max_bytes
    response = await draft.post(jpeg[:10], MORE | {"Upload-Length": str(max_bytes + 1)})
    await problem(response, "too-large")
    assert response.headers["Upload-Limit"] == f"max-size={max_bytes}"


async def test_bytes_with_another_digest_are_refused_and_not_kept(draft: Draft, jpeg: bytes) -> None:
    where = (await draft.post(jpeg[:1000], MORE | {"Upload-Length": str(len(jpeg))})).headers["Location"]
    right, wrong = (base64.b64encode(hashlib.sha256(data).digest()).decode() for data in (jpeg[1000:], jpeg))
    refused = await draft.patch(where, 1000, jpeg[1000:], LAST | {"Content-Digest": f"sha-256=:{wrong}:"})
    await problem(refused, "digest-mismatch")
    assert refused.status == 400
    assert (await draft.head(where)).headers["Upload-Offset"] == "1000"
    last = await draft.patch(where, 1000, jpeg[1000:], LAST | {"Content-Digest": f"sha-256=:{right}:"})
    assert (await last.json())["sha256"] == hashlib.sha256(jpeg).hexdigest()


async def test_a_cancelled_upload_is_gone(draft: Draft, jpeg: bytes) -> None:
    where = await draft.create(jpeg[:1000])
    assert (await draft.host.client.delete(where, headers=draft.named)).status == 204
    assert (await draft.head(where)).status == 410
    await problem(await draft.patch(where, 1000, jpeg[1000:], LAST), "upload-gone")


async def test_cancelling_a_finished_upload_keeps_the_image(draft: Draft, jpeg: bytes) -> None:
    where = await draft.create(jpeg)
    image = await (await draft.patch(where, len(jpeg), b"", LAST)).json()
    assert (await draft.host.client.delete(where)).status == 204
    assert (await draft.host.get(f"/i/{image['slug']}")).status == 200


async def test_appended_bytes_need_offset_media_type_and_completeness(draft: Draft, jpeg: bytes) -> None:
    where = await draft.create(jpeg[:10])
    await problem(await draft.patch(where, 10, jpeg[10:], LAST | {"Content-Type": "image/jpeg"}), "wrong-content-type")
    await problem(await draft.patch(where, 10, jpeg[10:], LAST | {"Upload-Offset": "-1"}), "malformed-request")
    await problem(await draft.patch(where, 10, jpeg[10:], {}), "malformed-request")
    await problem(await draft.patch("/api/v1/resumable-uploads/none", 0, jpeg, LAST), "upload-not-found")
    assert await draft.offset(where) == 10


# --- older drafts, and what else is there -----------------------------------------------------------------------------


@pytest.mark.parametrize("version", [3, 4, 5, 6, 7, 8, 9])
async def test_each_version_uploads_whole_cut_and_in_parts(shared: Host, jpeg: bytes, version: int) -> None:
    draft = Draft(shared, version)
    last, more = ({"Upload-Incomplete": "?0"}, {"Upload-Incomplete": "?1"}) if version == 3 else (LAST, MORE)
    name = next(iter(last))
    whole = await draft.post(jpeg, last)
    assert (whole.status, whole.headers[name]) == (201, last[name])
    wire, interim = await draft.begun(len(jpeg), jpeg[:1000], f"{name}: {last[name]}")
    assert field(interim, "Upload-Draft-Interop-Version") == str(version)
    assert ("expires=" if version < 7 else "max-age=") in field(interim, "Upload-Limit")
    where = field(interim, "Location")
    await draft.until_offset(where, 1000)
    wire.abort()
    head = await draft.head(where)
    assert head.headers[name] == more[name]
    part = await draft.patch(where, 1000, jpeg[1000:2000], more | bytes_of(version))
    assert (part.status, part.headers[name]) == (201 if version < 7 else 204, more[name])
    end = await draft.patch(where, 2000, jpeg[2000:], last | bytes_of(version))
    assert (end.status, end.headers[name]) == (201, last[name])
    assert (await end.json())["sha256"] == hashlib.sha256(jpeg).hexdigest()


async def test_the_first_version_may_leave_the_field_out_of_the_last_request(shared: Host, jpeg: bytes) -> None:
    draft = Draft(shared, 3)
    where = (await draft.post(jpeg[:10], {"Upload-Incomplete": "?1"})).headers["Location"]
    assert (await draft.patch(where, 10, jpeg[10:], {})).status == 201


def bytes_of(version: int) -> dict[str, str]:
    """What is sent as the media type: anything, before version 6."""
    return {} if version >= 6 else {"Content-Type": "image/jpeg"}


async def test_options_show_that_uploads_can_be_resumed(shared: Host) -> None:
    response = await shared.client.options(IMAGES)
    assert response.status == 204
    assert response.headers["Accept-Patch"] == "application/partial-upload"
    assert response.headers["Upload-Limit"].startswith("max-size=")
    for name in ("Upload-Complete", "Upload-Offset", "Upload-Draft-Interop-Version"):
        assert name in response.headers["Access-Control-Allow-Headers"]


async def test_an_expected_continue_comes_before_the_announcement(shared: Host, jpeg: bytes) -> None:
    draft = Draft(shared)
    wire, first = await draft.begun(len(jpeg), jpeg, "Upload-Complete: ?1\r\nExpect: 100-continue")
    assert first.startswith("HTTP/1.1 100 Continue")
    assert "104 Upload Resumption Supported" in await wire.head()
    assert "201 Created" in await wire.head()
    wire.abort()


async def test_tus_shows_an_upload_of_the_draft_and_does_not_finish_it(shared: Host, jpeg: bytes) -> None:
    where = await Draft(shared).create(jpeg, {"Upload-Length": str(len(jpeg))})
    by_tus = where.replace("resumable-uploads", "uploads")
    assert await Tus(shared).offset(by_tus) == len(jpeg)
    assert (await Tus(shared).state(by_tus))["state"] == "receiving"
