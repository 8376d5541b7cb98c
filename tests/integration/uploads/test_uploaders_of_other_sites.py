"""Uploaders that other sites use: what FilePond, Dropzone and forms with other field names send."""

import pytest
from aiohttp import FormData

from tests.support.host import Host, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("text", ["", "{}", '{"crop": null}'])
async def test_the_text_that_filepond_puts_before_a_file_is_left_alone(shared: Host, jpeg: bytes, text: str) -> None:
    form = FormData()
    form.add_field("file", text)
    form.add_field("file", jpeg, filename="cat.jpg")
    reply = await shared.client.post("/api/v1/images", data=form)
    assert (reply.status, (await reply.json())["filename"]) == (201, "cat.jpg")


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "missing-file"), ("{}", "missing-file"), ("https://example.com/a.jpg", "remote-url-refused")],
)
async def test_a_text_alone_is_no_file(shared: Host, text: str, code: str) -> None:
    form = FormData(quote_fields=False)
    form.add_field("file", text, content_type="text/plain")
    await problem(await shared.client.post("/api/v1/images", data=form), code)


async def test_dropzone_may_send_its_headers_from_another_site(shared: Host, jpeg: bytes) -> None:
    headers = {"Cache-Control": "no-cache", "X-Requested-With": "XMLHttpRequest"}
    asked = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "cache-control,x-requested-with",
    }
    for path in ("/api/v1/images", "/api/1/upload", "/api/v1/uploads"):
        preflight = await shared.client.options(path, headers=asked)
        allowed = {name.strip().lower() for name in preflight.headers["Access-Control-Allow-Headers"].split(",")}
        assert (preflight.status, {name.lower() for name in headers} <= allowed) == (204, True)
    form = FormData()
    form.add_field("file", jpeg, filename="cat.jpg")
    reply = await shared.client.post("/api/v1/images", data=form, headers=headers | {"Accept": "application/json"})
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (201, "*")


@pytest.mark.parametrize("size", [100, 200_000], ids=["a small file", "a large file"])
async def test_a_file_in_another_field_is_told_the_name_of_the_field(shared: Host, size: int) -> None:
    before = shared.files("spool")
    for path, field in (("/api/v1/images", "file"), ("/api/1/upload", "source")):
        form = FormData()
        form.add_field("filepond", b"\xff\xd8" + bytes(size), filename="cat.jpg")
        reply = await shared.client.post(path, data=form)
        body = await reply.json()
        told = body["detail"] if field == "file" else body["error"]["message"]
        assert (reply.status, told) == (400, f"The file is in the field “filepond”. Send it in the field “{field}”.")
    assert shared.files("spool") == before


async def test_a_small_file_in_another_field_does_not_count_if_the_file_is_there(shared: Host, jpeg: bytes) -> None:
    form = FormData()
    form.add_field("icon", b"\x89PNG\xff", filename="icon.png")
    form.add_field("file", jpeg, filename="cat.jpg")
    form.add_field("attachment", b"", filename="")
    reply = await shared.client.post("/api/v1/images", data=form)
    assert (reply.status, (await reply.json())["bytes"]) == (201, len(jpeg))


async def test_an_option_in_a_part_with_a_filename_is_still_an_option(shared: Host, jpeg: bytes) -> None:
    form = FormData()
    form.add_field("title", "Katze", filename="title.txt")
    form.add_field("file", jpeg, filename="cat.jpg")
    reply = await shared.client.post("/api/v1/images", data=form)
    assert (await reply.json())["title"] == "Katze"
