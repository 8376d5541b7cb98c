"""Forms of several parts: what their reading may cost, and what is refused before it costs more."""

import sys
import warnings
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse, FormData, multipart

from appliance.http.forms import MAX_FORM_FIELDS
from appliance.http.routes import application
from tests.support.host import Host, problem
from tests.support.images import pictures

FORM = {"Content-Type": "multipart/form-data; boundary=x"}
PAGE = {"Accept": "text/html"}
HEAD = b'--x\r\nContent-Disposition: form-data; name="title"\r\n'
ADDRESSES = ("/api/v1/images", "/", "/api/1/upload", "/i/abc/manage", "/a", "/a/abc/manage")
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def sent(host: Host, body: bytes, path: str = "/api/v1/images", **headers: str) -> ClientResponse:
    return await host.client.post(path, data=body, headers=FORM | headers)


def file_part(data: bytes) -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + data + b"\r\n"


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("body", [b"\n" * 50_000, b"a preamble\r\n--x--\r\n", b"\r\n\r\n--x--\r\n", b"", b"--y\r\n"])
async def test_a_form_that_does_not_begin_with_its_boundary_is_refused(shared: Host, path: str, body: bytes) -> None:
    response = await sent(shared, body, path)
    assert response.status == 400
    assert "boundary" in await response.text()


async def test_a_line_break_before_the_first_boundary_is_no_preamble(shared: Host, jpeg: bytes) -> None:
    assert (await sent(shared, b"\r\n" + file_part(jpeg) + b"--x--\r\n")).status == 201


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X-Long: " + b"a" * 10_000 + b"\r\n",
        HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(40)),
        HEAD + b"".join(b"X-%d: " % number + b"a" * 1000 + b"\r\n" for number in range(10)),
        b"--x\r\nContent-Disposition: form-data" + b";" * 100 + b' name="title"\r\n',
    ],
    ids=["a long line", "many lines", "much in all", "many parameters"],
)
async def test_the_head_of_a_part_is_bounded(shared: Host, path: str, head: bytes) -> None:
    response = await sent(shared, head + b"\r\nhi\r\n--x--\r\n", path)
    assert response.status == 400
    assert "part" in await response.text()


async def test_what_lies_between_parts_is_bounded_however_many_there_are(shared: Host, jpeg: bytes) -> None:
    part = HEAD + b"X-Long: " + b"a" * 7000 + b"\r\n\r\nhi\r\n"
    assert (await sent(shared, part * 20 + file_part(jpeg) + b"--x--\r\n")).status == 201


async def test_a_long_filename_in_any_script_is_taken(shared: Host) -> None:
    name = "猫" * 80 + ".jpg"
    named = f"filename=\"{name}\"; filename*=UTF-8''{quote(name)}".encode()
    head = b'--x\r\nContent-Disposition: form-data; name="file"; ' + named + b"\r\n\r\n"
    response = await sent(shared, head + pictures.photo(64, 48) + b"\r\n--x--\r\n")
    assert (await response.json())["filename"] == name


async def test_a_field_that_names_no_encoding_is_refused(shared: Host) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n'
    await problem(await sent(shared, head + b"u" * 500 + b"\r\n--x--\r\n"), "malformed-request")


async def test_names_that_can_not_be_read_are_not_remembered(shared: Host, jpeg: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        application()
        for number in range(3):
            part = b"--x\r\nContent-Disposition: form-data; name=a%d b; filename\r\n\r\nhi\r\n" % number
            assert (await sent(shared, part + file_part(jpeg) + b"--x--\r\n")).status == 201
    remembered = getattr(sys.modules[multipart.__name__], "__warningregistry__", {})
    assert [key for key in remembered if "a0 b" in str(key)] == []


def german_number(value: int) -> str:
    return f"{value:,}".replace(",", ".")


@pytest.mark.parametrize(
    ("encoding", "limit"),
    [("application/x-www-form-urlencoded", MAX_FORM_FIELDS), ("multipart/form-data; boundary=x", 64)],
)
async def test_a_form_of_thousands_of_fields_is_told_how_many_it_may_have(
    shared: Host, encoding: str, limit: int
) -> None:
    simple = b"&".join([b"a=1"] * (limit + 1))
    parts = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * (limit + 1) + b"--x--\r\n"
    body = parts if encoding.startswith("multipart") else simple
    german = PAGE | {"Accept-Language": "de", "Content-Type": encoding}
    response = await shared.client.post("/a", data=body, headers=german)
    assert response.status == 400
    assert (
        f"Das Formular hat {german_number(limit + 1)} Felder, erlaubt sind höchstens {german_number(limit)}."
        in await response.text()
    )
    plain = await shared.client.post("/a", data=body, headers={"Content-Type": encoding})
    assert f"The form has {limit + 1:,} fields, but at most {limit:,} are allowed." in await plain.text()


async def test_a_form_of_too_many_files_says_what_to_do(shared: Host) -> None:
    parts = b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\n1\r\n' * 2000 + b"--x--\r\n"
    typed = PAGE | {"Content-Type": "multipart/form-data; boundary=x"}
    response = await shared.client.post("/", data=parts, headers=typed)
    assert response.status == 400
    assert "These are too many files. Choose fewer at a time." in await response.text()


async def test_every_picture_of_the_largest_album_has_room_in_its_form(shared: Host) -> None:
    body = b"&".join([b"place-%d=1&remove=%d" % (number, number) for number in range(2000)])
    response = await shared.client.post(
        "/a/abc/manage", data=body, headers=PAGE | {"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert response.status == 404


async def test_a_form_of_several_parts_manages_an_image(shared: Host, jpeg: bytes) -> None:
    resource = await shared.upload(jpeg)
    form = FormData({"token": resource["delete_token"], "title": "Kätzchen", "action": "save"})
    form.add_field("note", b"a file that nobody asked for", filename="note.txt")
    response = await shared.client.post(f"/i/{resource['slug']}/manage", data=form, headers=PAGE)
    assert response.status == 200
    shown = await (await shared.get(f"/api/v1/images/{resource['slug']}")).json()
    assert shown["title"] == "Kätzchen"
