"""tus 1.0.0, the core and creation: every verb, every header, every refusal."""

import gzip
import hashlib
from collections.abc import AsyncIterator

import pytest

from tests.support.host import Host, problem
from tests.support.images import pictures
from tests.support.tus_client import BYTES, UPLOADS, VERSION, Tus, encoded

pytestmark = pytest.mark.asyncio(loop_scope="module")
BROKEN = "bm90IA=!"


@pytest.fixture
def tus(shared: Host) -> Tus:
    return Tus(shared)


async def test_options_tell_version_extensions_size_and_checksums(shared: Host) -> None:
    response = await shared.client.options(UPLOADS)
    assert response.status == 204
    assert response.headers["Tus-Version"] == response.headers["Tus-Resumable"] == "1.0.0"
    assert set(response.headers["Tus-Extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "expiration",
        "checksum",
        "termination",
        "concatenation",
    }
    assert response.headers["Tus-Max-Size"] == str(shared.appliance.config.uploads.max_bytes)
    assert response.headers["Tus-Checksum-Algorithm"] == "sha1,sha256,sha512,md5,crc32"


async def test_a_browser_of_another_site_may_send_and_read_every_header(shared: Host, tus: Tus) -> None:
    where = await tus.create(10)
    preflight = await shared.client.options(where, headers={"Access-Control-Request-Method": "PATCH"})
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    for name in ("Tus-Resumable", "Upload-Offset", "Upload-Metadata", "Upload-Checksum", "Upload-Concat"):
        assert name in preflight.headers["Access-Control-Allow-Headers"]
    head = await tus.head(where)
    assert head.headers["Access-Control-Allow-Origin"] == "*"
    for name in ("Upload-Offset", "Upload-Length", "Location", "Content-Location", "Upload-Expires"):
        assert name in head.headers["Access-Control-Expose-Headers"]


async def test_an_upload_in_three_requests_becomes_an_image(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg), filename="Käse.jpg", title="Cheese", alt="a wheel", expires_in="2d")
    for start in range(0, len(jpeg), 30_000):
        response = await tus.patch(where, start, jpeg[start : start + 30_000])
        assert response.status == 204
        assert response.headers["Upload-Offset"] == str(min(len(jpeg), start + 30_000))
        assert response.headers["Tus-Resumable"] == "1.0.0"
    state = await tus.state(where)
    image = state["image"]
    assert (state["state"], state["offset"], state["length"]) == ("done", len(jpeg), len(jpeg))
    assert (image["filename"], image["title"], image["alt"]) == ("Käse.jpg", "Cheese", "a wheel")
    assert image["sha256"] == hashlib.sha256(jpeg).hexdigest()
    assert response.headers["Content-Location"] == f"/i/{image['slug']}"
    assert await tus.original(image["slug"]) == jpeg
    deleted = await tus.host.delete(image["slug"], image["delete_token"])
    assert deleted.status == 204


async def test_creation_answers_with_a_path_an_expiry_and_the_offset(tus: Tus) -> None:
    response = await tus.post(100)
    assert response.status == 201
    assert response.headers["Location"].startswith(f"{UPLOADS}/")
    assert response.headers["Upload-Offset"] == "0"
    assert response.headers["Upload-Expires"].endswith("GMT")


async def test_creation_takes_the_first_bytes_or_all_of_them(tus: Tus, jpeg: bytes) -> None:
    some = await tus.post(len(jpeg), jpeg[:5000])
    assert (some.status, some.headers["Upload-Offset"]) == (201, "5000")
    assert await tus.offset(some.headers["Location"]) == 5000
    whole = await tus.post(len(jpeg), jpeg)
    assert (whole.status, whole.headers["Upload-Offset"]) == (201, str(len(jpeg)))
    assert await tus.original(whole.headers["Content-Location"].removeprefix("/i/")) == jpeg


@pytest.mark.parametrize(
    "given",
    [
        "filename w7zDvMO8Pz8_LmpwZw==,title w7zDvMO-",
        "filename w7zDvMO8Pz8/LmpwZw,title w7zDvMO+",
        "filename w7zDvMO8Pz8/LmpwZw==,title w7zDvMO+,",
        "filename w7zDvMO8Pz8/LmpwZw==, title w7zDvMO+ , ,",
    ],
    ids=["URL-safe", "unpadded", "a last comma", "blanks"],
)
async def test_metadata_is_read_however_base64_is_written(tus: Tus, jpeg: bytes, given: str) -> None:
    where = await tus.created(await tus.post(len(jpeg), headers={"Upload-Metadata": given}))
    await tus.patch(where, 0, jpeg)
    image = (await tus.state(where))["image"]
    assert (image["filename"], image["title"]) == ("üüü???.jpg", "üüþ")


async def test_head_gives_back_length_metadata_and_is_never_stored(tus: Tus) -> None:
    given = encoded(filename="a.jpg", is_secret="")
    where = await tus.created(await tus.post(100, headers={"Upload-Metadata": given}))
    response = await tus.head(where)
    assert response.status == 200
    assert response.headers["Upload-Metadata"] == given
    assert response.headers["Upload-Length"] == "100"
    assert response.headers["Upload-Offset"] == "0"
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_deferred_length_comes_with_a_later_patch(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(None)
    head = await tus.head(where)
    assert head.headers["Upload-Defer-Length"] == "1"
    assert "Upload-Length" not in head.headers
    assert (await tus.patch(where, 0, jpeg[:1000])).status == 204
    assert (await tus.state(where))["length"] is None
    last = await tus.patch(where, 1000, jpeg[1000:], {"Upload-Length": str(len(jpeg))})
    assert last.status == 204
    head = await tus.head(where)
    assert head.headers["Upload-Length"] == head.headers["Upload-Offset"] == str(len(jpeg))
    assert "Upload-Defer-Length" not in head.headers


async def test_a_length_is_set_once(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(1000)
    await problem(await tus.patch(where, 0, jpeg[:10], {"Upload-Length": "2000"}), "malformed-request")
    assert (await tus.patch(where, 0, jpeg[:10], {"Upload-Length": "1000"})).status == 204


async def test_a_body_without_a_length_is_taken(tus: Tus, jpeg: bytes) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield jpeg[:50_000]
        yield jpeg[50_000:]

    where = await tus.create(len(jpeg))
    response = await tus.patch(where, 0, stream())
    assert (response.status, response.headers["Upload-Offset"]) == (204, str(len(jpeg)))


async def test_the_method_override_counts(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    headers = VERSION | BYTES | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    response = await tus.host.client.post(where, headers=headers, data=jpeg[:10])
    assert (response.status, response.headers["Upload-Offset"]) == (204, "10")
    response = await tus.host.client.post(where, headers=VERSION | {"X-HTTP-Method-Override": "DELETE"})
    assert response.status == 204
    plain = await tus.host.client.post(where, headers=VERSION)
    await problem(plain, "method-not-allowed")


async def test_an_empty_patch_changes_nothing(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    assert (await tus.patch(where, 0, b"")).headers["Upload-Offset"] == "0"
    assert (await tus.patch(where, 0, jpeg)).status == 204
    again = await tus.patch(where, len(jpeg), b"")
    assert (again.status, again.headers["Upload-Offset"]) == (204, str(len(jpeg)))


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [None, "0.2.2", "2.0.0"])
async def test_another_version_is_refused_and_ours_is_told(shared: Host, version: str | None) -> None:
    headers = {"Upload-Length": "10"} | ({"Tus-Resumable": version} if version else {})
    response = await shared.client.post(UPLOADS, headers=headers)
    await problem(response, "unsupported-tus-version")
    assert response.headers["Tus-Version"] == response.headers["Tus-Resumable"] == "1.0.0"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "malformed-request"),
        ({"Upload-Length": "-1"}, "malformed-request"),
        ({"Upload-Length": "ten"}, "malformed-request"),
        ({"Upload-Length": "9" * 19}, "malformed-request"),
        ({"Upload-Length": "0"}, "empty-upload"),
        ({"Upload-Length": "10", "Upload-Defer-Length": "1"}, "malformed-request"),
        ({"Upload-Defer-Length": "2"}, "malformed-request"),
        ({"Upload-Length": "9" * 18}, "too-large"),
        ({"Upload-Length": "10", "Upload-Metadata": f"filename {BROKEN}"}, "malformed-request"),
        ({"Upload-Length": "10", "Upload-Metadata": "filename YQ==,filename YQ=="}, "malformed-request"),
        ({"Upload-Length": "10", "Upload-Metadata": "filename /w=="}, "malformed-request"),
        ({"Upload-Length": "10", "Upload-Metadata": "filename YQ==,,,,filename YQ=="}, "malformed-request"),
        ({"Upload-Length": "10", "Upload-Metadata": "filename YWJjZ"}, "malformed-request"),
        ({"Upload-Length": "10", "Upload-Metadata": encoded(expires_in="soon")}, "invalid-expiry"),
        ({"Upload-Length": "10", "Upload-Metadata": encoded(expires_in="3000d")}, "invalid-expiry"),
        ({"Upload-Length": "10", "Upload-Metadata": encoded(title="x" * 201)}, "invalid-field"),
        ({"Upload-Length": "10", "Upload-Concat": "whole"}, "malformed-request"),
    ],
)
async def test_a_creation_that_makes_no_sense_is_refused(shared: Host, headers: dict[str, str], code: str) -> None:
    await problem(await shared.client.post(UPLOADS, headers=VERSION | headers), code)


async def test_bytes_need_the_content_type_of_tus(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    for response in (
        await tus.patch(where, 0, jpeg, {"Content-Type": "image/jpeg"}),
        await tus.post(len(jpeg), jpeg, {"Content-Type": "image/jpeg"}),
    ):
        await problem(response, "wrong-content-type")
    assert await tus.offset(where) == 0


async def test_another_offset_is_a_conflict_and_changes_nothing(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    await tus.patch(where, 0, jpeg[:100])
    for offset in (0, 99, 101):
        told = await problem(await tus.patch(where, offset, jpeg[offset:]), "offset-mismatch")
        assert (told["limit"], told["actual"]) == (100, offset)
    assert await tus.offset(where) == 100


async def test_a_patch_without_an_offset_or_with_a_wrong_one_is_malformed(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    await problem(await tus.host.client.patch(where, headers=VERSION | BYTES, data=b"x"), "malformed-request")
    await problem(await tus.patch(where, 0, jpeg, {"Upload-Offset": "first"}), "malformed-request")


async def test_more_bytes_than_the_length_are_refused(tus: Tus, jpeg: bytes) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield jpeg

    where = await tus.create(1000)
    await problem(await tus.patch(where, 0, jpeg), "too-large")
    await problem(await tus.patch(where, 0, stream()), "too-large")
    assert await tus.offset(where) == 0


async def test_an_unknown_upload_is_not_found(shared: Host, tus: Tus) -> None:
    where = f"{UPLOADS}/{'x' * 22}"
    assert (await tus.head(where)).status == 404
    assert "Upload-Offset" not in (await tus.head(where)).headers
    await problem(await tus.patch(where, 0, b"x"), "upload-not-found")
    await problem(await tus.delete(where), "upload-not-found")
    await problem(await shared.get(where), "upload-not-found")


async def test_bytes_of_no_image_are_refused_again_and_again(tus: Tus) -> None:
    data = b"just text, no picture"
    where = await tus.create(len(data))
    await problem(await tus.patch(where, 0, data), "not-an-image")
    assert (await tus.head(where)).status == 415
    await problem(await tus.patch(where, len(data), b""), "not-an-image")
    state = await tus.state(where)
    assert (state["state"], state["problem"]["code"]) == ("refused", "not-an-image")
    assert "image" not in state


async def test_a_damaged_image_is_refused_with_the_last_byte(tus: Tus) -> None:
    data = pictures.photo(64, 64)[:200]
    where = await tus.create(len(data))
    await problem(await tus.patch(where, 0, data), "unreadable-image")


async def test_ids_never_stand_in_the_log(
    shared: Host, tus: Tus, jpeg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    from appliance.observability.logs import JsonLines

    with caplog.at_level("DEBUG", logger="appliance"):
        where = await tus.whole(jpeg)
    lines = [JsonLines().format(record) for record in caplog.records]
    assert any("PATCH" in line for line in lines)
    assert not any(where.rpartition("/")[2] in line for line in lines)


async def test_compressed_bytes_are_refused(tus: Tus, jpeg: bytes) -> None:
    encoded = {"Content-Encoding": "gzip"}
    where = await tus.create(len(jpeg))
    await problem(await tus.patch(where, 0, gzip.compress(jpeg), encoded), "encoded-body")
    await problem(await tus.post(len(jpeg), gzip.compress(jpeg), encoded), "encoded-body")
    assert await tus.offset(where) == 0
    assert (await tus.patch(where, 0, jpeg, {"Content-Encoding": "identity"})).status == 204


async def test_no_view_becomes_a_change_by_an_override(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    for method in ("GET", "HEAD"):
        headers = VERSION | {"X-HTTP-Method-Override": "DELETE"}
        assert (await tus.host.client.request(method, where, headers=headers)).status == 200
    assert (await tus.head(where)).status == 200


async def test_only_tus_methods_come_by_an_override(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    for method in ("GET", "PUT", "TRACE"):
        response = await tus.host.client.post(where, headers=VERSION | {"X-HTTP-Method-Override": method})
        await problem(response, "method-not-allowed")


async def test_an_override_means_nothing_elsewhere(shared: Host, jpeg: bytes) -> None:
    resource = await shared.upload(jpeg)
    headers = {"X-HTTP-Method-Override": "DELETE", "Authorization": f"Bearer {resource['delete_token']}"}
    response = await shared.client.post(f"/api/v1/images/{resource['slug']}", headers=headers)
    assert response.status == 405
    assert (await shared.get(f"/i/{resource['slug']}")).status == 200
