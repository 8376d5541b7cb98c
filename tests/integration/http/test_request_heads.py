"""Heads and encodings that are refused before anything costly looks at them."""

import asyncio
import gzip
import json
import zlib
from typing import Any

import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.compression_utils import ZLibDecompressor
from aiohttp.test_utils import make_mocked_request

from appliance.http.transport.multipart import MAX_FIELDS, fields_of
from appliance.http.transport.request_heads import MAX_PARAMETERS, check_head
from tests.support.host import Host, dashed, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITH_BODIES = [
    ("POST", "/"),
    ("PUT", "/x.png"),
    ("POST", "/a"),
    ("POST", "/a/{slug}/manage"),
    ("POST", "/i/{slug}/manage"),
    ("POST", "/api/v1/images"),
    ("PATCH", "/api/v1/images/{slug}"),
    ("POST", "/api/v1/albums"),
    ("PATCH", "/api/v1/albums/{slug}"),
    ("POST", "/api/1/upload"),
]
FORM = "application/x-www-form-urlencoded"
CODE = "malformed-request"
MULTIPART = "multipart/form-data; boundary=x"
FIELD = b'--x\r\nContent-Disposition: form-data; name="title"%b\r\n\r\n%b\r\n'


async def answered(port: int, request: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to some bytes, which ends its connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(30):
        while (head := await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 "):
            pass
        body = await reader.read()
    writer.close()
    return int(head.split()[1]), body


def headed(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request that ends its connection."""
    lines = {"Host": "x", "Connection": "close", "Content-Length": str(len(body))} | dashed(headers)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


@pytest.mark.parametrize(("method", "path"), [*WITH_BODIES, ("GET", "/healthz"), ("POST", "/nowhere")])
@pytest.mark.parametrize(
    "media_type", ["m/f" + ";" * 8000, "m/f" + '"";' * 2000, "m/f" + "; a=b" * 9, "m/f;a*", "(" * 250, '"' * 250]
)
@pytest.mark.parametrize("expects", [True, False])
async def test_what_can_not_be_a_media_type_is_refused(
    shared: Host, method: str, path: str, media_type: str, expects: bool
) -> None:
    headers = {"Content-Type": media_type} | ({"Expect": "100-continue"} if expects else {})
    status, body = await answered(shared.port, headed(method, path.format(slug="abc"), b"x", **headers))
    assert (status, b"Content-Type" in body) == (400, True)


@pytest.mark.parametrize(
    "media_type",
    [
        "multipart/form-data; boundary=" + "b" * 70,
        'multipart/form-data; boundary="=_b b (1)"'.replace(" (1)", ""),
        "application/json; charset=utf-8; profile=\"a\"; q='b'",
        "nonsense",
        "",
    ],
)
async def test_what_clients_send_is_a_media_type(media_type: str) -> None:
    check_head(make_mocked_request("POST", "/", headers={"Content-Type": media_type}))


async def test_as_many_parameters_as_are_read_are_few() -> None:
    check_head(make_mocked_request("POST", "/", headers={"Content-Type": "a/b" + "; a=b" * MAX_PARAMETERS}))


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what aiohttp unpacks."""
    sizes: list[int] = []
    unpack = ZLibDecompressor.decompress_sync

    def noted(self: ZLibDecompressor, data: bytes, *args: Any, **options: Any) -> bytes:
        sizes.append(len(data))
        return unpack(self, data, *args, **options)

    monkeypatch.setattr(ZLibDecompressor, "decompress_sync", noted)
    return sizes


BOMB = gzip.compress(bytes(4_000_000))


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("line", [*WITH_BODIES, ("PATCH", "/api/v1/uploads/{slug}"), ("GET", "/healthz")])
async def test_no_body_is_ever_unpacked(
    shared: Host, jpeg: bytes, unpacked: list[int], line: tuple[str, str], encoding: str
) -> None:
    method, path = line
    image = await shared.upload(jpeg)
    album = await (await shared.client.post("/api/v1/albums", json={"images": [image["slug"]]})).json()
    slug, token = (album["slug"], album["delete_token"]) if "album" in path else (image["slug"], image["delete_token"])
    body = BOMB if encoding == "gzip" else zlib.compress(bytes(4_000_000))
    kind = "application/offset+octet-stream" if "uploads" in path else FORM if method == "POST" else "text/plain"
    headers = {"Content-Encoding": encoding, "Content-Type": kind, "Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    headers["Authorization"] = f"Bearer {token}"
    unpacked.clear()  # of the client's own
    status, answer = await answered(shared.port, headed(method, path.format(slug=slug), body, **headers))
    if method == "GET":
        assert status == 200
    elif path == "/api/1/upload":
        assert json.loads(answer)["error"]["message"].startswith("Uploads must not be compressed")
    else:
        assert status == 415
    assert unpacked == []


@pytest.mark.parametrize("charset", ["punycode", "utf-7", "utf-16", "idna", "iso-8859-1", "zlib", "klingon"])
async def test_texts_are_taken_as_utf_8_alone(shared: Host, jpeg: bytes, charset: str) -> None:
    image = await shared.upload(jpeg)
    authorization = {"Authorization": f"Bearer {image['delete_token']}"}
    as_json = authorization | {"Content-Type": f"application/json; charset={charset}"}
    response = await shared.client.patch(f"/api/v1/images/{image['slug']}", data=b'{"title": "a"}', headers=as_json)
    assert "UTF-8" in (await problem(response, CODE))["detail"]
    part = FIELD % (f"\r\nContent-Type: text/plain; charset={charset}".encode(), b"a") + b"--x--\r\n"
    default = FIELD.replace(b"title", b"_charset_") % (b"", charset.encode()) + FIELD % (b"", b"a") + b"--x--\r\n"
    for kind, body in ((f"{FORM}; charset={charset}", b"title=a"), (MULTIPART, part)):
        page = await shared.client.post("/a", data=body, headers={"Content-Type": kind})
        assert (page.status, "UTF-8" in await page.text()) == (400, True)
    await problem(await shared.client.post("/api/v1/images", data=default, headers={"Content-Type": MULTIPART}), CODE)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "us-ascii"])
async def test_utf_8_is_taken_by_its_names(shared: Host, jpeg: bytes, charset: str) -> None:
    image = await shared.upload(jpeg)
    headers = {
        "Authorization": f"Bearer {image['delete_token']}",
        "Content-Type": f"application/json; charset={charset}",
    }
    response = await shared.client.patch(f"/api/v1/images/{image['slug']}", data=b'{"title": "a"}', headers=headers)
    assert response.status == 200


def form(parts: int) -> web.Request:
    """A form of so many parts, all of it here."""
    content = StreamReader(BaseProtocol(asyncio.get_running_loop()), 1 << 20)
    content.feed_data(FIELD % (b"", b"a") * parts + b"--x--\r\n")
    content.feed_eof()
    return make_mocked_request("POST", "/a", headers={"Content-Type": MULTIPART}, payload=content)


async def test_others_have_a_turn_after_each_part_of_a_form() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    fields = await fields_of(form(MAX_FIELDS))
    other.cancel()
    assert len(fields) == MAX_FIELDS
    assert turns >= MAX_FIELDS


async def test_a_form_of_many_parts_is_refused(shared: Host) -> None:
    body = FIELD % (b"", b"a") * (MAX_FIELDS + 1) + b"--x--\r\n"
    for path in ("/a", "/i/abc/manage", "/a/abc/manage"):
        response = await shared.client.post(path, data=body, headers={"Content-Type": MULTIPART})
        assert response.status == 400
        assert f"at most {MAX_FIELDS}" in await response.text()


BAD_HOSTS = [b"", b"a/b@c d", b"a b", b"a\\b", b"\xe9.example", b'a"b', b"a<b>", b"a#b", b"a?b", b"a" * 400]


@pytest.mark.parametrize("name", BAD_HOSTS)
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_host_that_is_none_is_refused(shared: Host, name: bytes, version: bytes) -> None:
    request = b"GET /healthz HTTP/%b\r\nHost: %b\r\nConnection: close\r\n\r\n" % (version, name)
    status, body = await answered(shared.port, request)
    assert (status, json.loads(body)["code"]) == (400, "malformed-request")


@pytest.mark.parametrize("name", [b"x", b"[::1]:8080", b"a-b_c.example:443", b"127.0.0.1", b"xn--bcher-kva.example"])
async def test_a_host_is_a_name_or_an_address(shared: Host, name: bytes) -> None:
    status, _ = await answered(shared.port, b"GET /healthz HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % name)
    assert status == 200


@pytest.mark.parametrize("name", BAD_HOSTS)
async def test_a_hot_view_looks_at_its_host(shared: Host, jpeg: bytes, name: bytes) -> None:
    line = f"GET /i/{(await shared.upload(jpeg))['slug']}/small.jpg HTTP/1.1\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", shared.port)
    for _ in range(2):
        writer.write(line + b"Host: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        length = next(each for each in head.lower().split(b"\r\n") if each.startswith(b"content-length"))
        await reader.readexactly(int(length.partition(b":")[2]))
    writer.write(line + b"Host: %b\r\n\r\n" % name)
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()
