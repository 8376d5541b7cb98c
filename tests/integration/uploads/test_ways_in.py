"""Uploading: every way in, and what comes back."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import FormData

from tests.support.host import DAY_S, Host, problem
from tests.support.images import pictures
from tests.support.images.pictures import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def curl(*arguments: str) -> tuple[int, str]:
    """The real program: its exit status, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--show-error", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_a_photo_comes_back_as_a_resource_with_every_link(shared: Host, jpeg: bytes) -> None:
    response = await shared.post(jpeg, "cat.jpg")
    assert response.status == 201
    resource = await response.json()
    assert response.headers["Location"] == f"/i/{resource['slug']}"
    assert resource["url"] == f"http://127.0.0.1:8080/i/{resource['slug']}"
    assert resource["sha256"] == hashlib.sha256(jpeg).hexdigest()
    assert (resource["bytes"], resource["width"], resource["height"]) == (len(jpeg), 640, 480)
    assert (resource["filename"], resource["media_type"], resource["state"]) == ("cat.jpg", "image/jpeg", "ready")
    assert list(resource["renditions"]) == ["thumbnail", "small", "medium", "medium-large", "large"]
    assert len(resource["delete_token"]) == 22


async def test_every_link_of_the_resource_gives_the_size_that_it_says(shared: Host, jpeg: bytes) -> None:
    resource = await shared.upload(jpeg)
    for rendition in resource["renditions"].values():
        response = await shared.get(rendition["url"].removeprefix("http://127.0.0.1:8080"))
        assert opened(await response.read()).size == (rendition["width"], rendition["height"])


async def test_an_acknowledged_upload_is_in_the_store_and_can_be_read_at_once(shared: Host, jpeg: bytes) -> None:
    resource = await shared.upload(jpeg)
    row = await shared.appliance.catalogue.images.get(resource["slug"])
    assert row is not None
    assert getattr(row, "location", None) == "store"
    response = await shared.get(f"/i/{resource['slug']}/original")
    assert await response.read() == jpeg


@pytest.mark.parametrize("before", [True, False])
async def test_fields_count_before_and_after_the_file(shared: Host, jpeg: bytes, before: bool) -> None:
    form = FormData()
    if not before:
        form.add_field("file", jpeg, filename="a.jpg")
    for name, value in {"title": "Katze", "alt": "Eine Katze", "expires_in": "12h", "filename": "b.jpg"}.items():
        form.add_field(name, value)
    if before:
        form.add_field("file", jpeg, filename="a.jpg")
    response = await shared.client.post("/api/v1/images", data=form)
    resource = await response.json()
    assert response.status == 201, resource
    assert (resource["title"], resource["alt"], resource["filename"]) == ("Katze", "Eine Katze", "b.jpg")
    image = await shared.appliance.delivery.resolve(resource["slug"])
    assert image.expires_s - image.created_s == DAY_S // 2


async def test_unknown_fields_are_left_alone(shared: Host, jpeg: bytes) -> None:
    assert (await shared.upload(jpeg, album="summer", submit="Upload"))["title"] is None


async def test_a_raw_body_is_named_by_the_query(shared: Host, jpeg: bytes) -> None:
    response = await shared.client.post("/api/v1/images?filename=hund.jpg&title=Hund&expires_in=60", data=jpeg)
    resource = await response.json()
    assert (response.status, resource["filename"], resource["title"]) == (201, "hund.jpg", "Hund")


async def test_a_raw_body_needs_no_name_and_no_media_type(shared: Host, jpeg: bytes) -> None:
    headers = {"Content-Type": "text/plain"}
    resource = await (await shared.client.post("/api/v1/images", data=jpeg, headers=headers)).json()
    assert (resource["filename"], resource["media_type"]) == ("image", "image/jpeg")


async def test_a_body_in_chunks_of_unknown_length_is_taken(shared: Host, jpeg: bytes) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(jpeg), 10_000):
            yield jpeg[start : start + 10_000]

    response = await shared.client.post("/api/v1/images", data=chunks())
    assert (await response.json())["sha256"] == hashlib.sha256(jpeg).hexdigest()


async def test_put_answers_with_the_link_alone(shared: Host, jpeg: bytes) -> None:
    response = await shared.client.put("/k%C3%A4tzchen.jpg", data=jpeg)
    link = await response.text()
    assert (response.status, response.content_type) == (201, "text/plain")
    slug = link.strip().rpartition("/")[2]
    assert link == f"http://127.0.0.1:8080/i/{slug}\n"
    assert response.headers["Location"] == f"/i/{slug}"
    manage_link, _, token = response.headers["X-Manage-Link"].partition("#")
    assert manage_link == link.strip()
    assert (await shared.delete(slug, token)).status == 204


async def test_curl_uploads_a_file_by_name(shared: Host, tmp_path: Path, jpeg: bytes) -> None:
    photo = tmp_path / "grüße aus köln.jpg"
    photo.write_bytes(jpeg)
    status, output = await curl("--upload-file", str(photo), f"http://127.0.0.1:{shared.port}/")
    assert status == 0, output
    slug = output.strip().rpartition("/")[2]
    image = await shared.appliance.delivery.resolve(slug)
    assert (image.filename, image.bytes) == ("grüße aus köln.jpg", len(jpeg))


async def test_curl_uploads_a_form_and_a_big_body_that_waits_for_100(shared: Host, tmp_path: Path) -> None:
    photo = tmp_path / "big.png"
    photo.write_bytes(pictures.png(64, 64) + bytes(3_000_000))  # more than curl sends without asking
    base = f"http://127.0.0.1:{shared.port}"
    for arguments in (["-F", f"file=@{photo}", "-F", "title=Big"], ["--data-binary", f"@{photo}"]):
        status, output = await curl("--expect100-timeout", "30", *arguments, f"{base}/api/v1/images")
        assert status == 0, output
        assert '"media_type": "image/png"' in output


async def test_what_curl_reads_of_a_refusal_is_a_sentence(shared: Host, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no picture at all")
    _, output = await curl("-T", str(text), f"http://127.0.0.1:{shared.port}/")
    assert output.startswith("This is not an image. ")
    assert output.count("\n") == 1


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [("1", 1), ("3600", 3600), ("90m", 5400), ("12h", 43_200), ("30d", 30 * DAY_S), ("4w", 28 * DAY_S)],
)
async def test_expires_in_is_kept_to_the_second(shared: Host, jpeg: bytes, wish: str, seconds: int) -> None:
    resource = await shared.upload(jpeg, expires_in=wish)
    row = await shared.appliance.catalogue.images.get(resource["slug"])
    assert getattr(row, "expires_s", 0) - int(shared.clock()) == seconds


async def test_an_image_is_kept_for_a_year_unless_asked_otherwise(shared: Host, jpeg: bytes) -> None:
    resource = await shared.upload(jpeg, expires_in="", title="", alt="")
    image = await shared.appliance.delivery.resolve(resource["slug"])
    assert image.expires_s - int(shared.clock()) == 365 * DAY_S


@pytest.mark.parametrize("wish", ["0", "0d", "731d", "99999999999w", "-5", "1.5h", "soon", "12 h", "٣", "1e3"])
async def test_an_expiry_out_of_bounds_is_refused(shared: Host, jpeg: bytes, wish: str) -> None:
    told = await problem(await shared.post(jpeg, expires_in=wish), "invalid-expiry")
    assert ("limit" in told) == (wish in ("0", "0d", "731d", "99999999999w"))


async def test_the_longest_title_and_alt_are_taken_and_one_more_is_refused(shared: Host, jpeg: bytes) -> None:
    resource = await shared.upload(jpeg, title="ü" * 200, alt="猫" * 2000)
    assert (len(resource["title"]), len(resource["alt"])) == (200, 2000)
    told = await problem(await shared.post(jpeg, title="ü" * 201), "invalid-field")
    assert (told["limit"], told["actual"]) == (200, 201)
    told = await problem(await shared.post(jpeg, alt="猫" * 2001), "invalid-field")
    assert (told["limit"], told["actual"]) == (2000, 2001)


async def test_a_title_is_one_line_without_control_characters(shared: Host, jpeg: bytes) -> None:
    assert (await shared.upload(jpeg, title="  two\r\nlines\t "))["title"] == "two  lines"
    await problem(await shared.post(jpeg, title="a\x00b"), "invalid-field")


@pytest.mark.parametrize(
    ("media_type", "make"),
    [
        ("image/png", pictures.png),
        ("image/gif", lambda: pictures.animated("gif")),
        ("image/webp", pictures.webp),
        ("image/tiff", pictures.tiff),
        ("image/avif", pictures.avif),
        ("image/heic", pictures.heic),
    ],
)
async def test_the_format_is_told_by_content_whatever_the_name_says(
    shared: Host, media_type: str, make: Callable[[], bytes]
) -> None:
    resource = await shared.upload(make(), "lies.jpg")
    assert resource["media_type"] == media_type
    response = await shared.get(f"/i/{resource['slug']}/thumbnail")
    assert max(opened(await response.read()).size) == 256
