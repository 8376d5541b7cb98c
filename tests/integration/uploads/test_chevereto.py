"""Chevereto's API: files as Base64 and data URLs, its fields, and its forms of reply, as its clients send them."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlencode

import pytest
from aiohttp import ClientResponse, FormData

from tests.support.host import DAY_S, Host
from tests.support.images import pictures
from tests.support.images.noise import padded

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/api/1/upload"
BASE = "http://127.0.0.1:8080"
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
Send = Callable[..., Awaitable[ClientResponse]]


async def as_parts(host: Host, source: str, **fields: str) -> ClientResponse:
    form = FormData(quote_fields=False)
    for name, text in {"source": source, **fields}.items():
        form.add_field(name, text, content_type="text/plain")
    return await host.client.post(PATH, data=form)


async def urlencoded(host: Host, source: str, **fields: str) -> ClientResponse:
    return await host.client.post(PATH, data=urlencode({"key": "any", "source": source, **fields}), headers=URLENCODED)


WAYS = pytest.mark.parametrize("send", [as_parts, urlencoded], ids=["parts", "urlencoded"])


async def stored(host: Host, reply: ClientResponse) -> bytes:
    body = await reply.json()
    assert reply.status == 200, body
    return await (await host.get(f"/i/{body['image']['id_encoded']}/original")).read()


def in_lines(data: bytes) -> str:
    return base64.encodebytes(data).decode().replace("\n", "\r\n")


@WAYS
@pytest.mark.parametrize(
    "write",
    [
        lambda data: base64.b64encode(data).decode(),
        lambda data: base64.b64encode(data).decode().rstrip("="),
        lambda data: base64.urlsafe_b64encode(data).decode(),
        lambda data: "data:image/jpeg;base64," + base64.b64encode(data).decode(),
        lambda data: "DATA:image/jpeg;charset=utf-8;BASE64," + base64.b64encode(data).decode(),
        in_lines,
    ],
    ids=["Base64", "unpadded", "URL-safe", "a data URL", "capitals", "lines"],
)
async def test_a_file_may_come_as_text(shared: Host, jpeg: bytes, send: Send, write: Callable[[bytes], str]) -> None:
    for data in (jpeg + b"\0", pictures.png(9, 9), pictures.webp()):
        assert (await stored(shared, await send(shared, write(data)))).startswith(data[:200])


async def test_a_plus_that_was_not_encoded_is_still_one(shared: Host) -> None:
    data = next(each for seed in range(9) if b"+" in base64.b64encode(each := pictures.photo(64, 64, seed=seed)))
    body = b"source=" + base64.b64encode(data) + b"&format=json"
    assert await stored(shared, await shared.client.post(PATH, data=body, headers=URLENCODED)) == data


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_text_in_pieces_of_any_size_is_decoded(shared: Host, size: int) -> None:
    data = pictures.png(9, 9)
    body = urlencode({"title": "Grüße & mehr", "source": base64.b64encode(data).decode(), "album": ""}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    reply = await shared.client.post(PATH, data=pieces(), headers=URLENCODED)
    assert await stored(shared, reply) == data
    assert (await reply.json())["image"]["title"] == "Grüße & mehr"


@WAYS
async def test_a_large_file_as_text_is_not_held_to_the_size_of_a_field(shared: Host, send: Send) -> None:
    data = padded(600_000, 1)
    reply = await send(shared, base64.b64encode(data).decode())
    assert (await reply.json())["image"]["size"] <= len(data)
    assert reply.status == 200


@WAYS
@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        ("https://example.com/cat.jpg", 400, "remote-url-refused"),
        ("  FTP://example.com/cat.jpg", 400, "remote-url-refused"),
        ("", 400, "missing-file"),
        ("no Base64!", 400, "malformed-request"),
        ("YWJj=YWJj" * 9, 400, "malformed-request"),
        ("\n" * 200_000 + "YWJj", 400, "malformed-request"),
        ("YWJj" * 100 + "\n" * 340_000, 400, "malformed-request"),
        ("data:image/svg+xml,<svg/>", 400, "malformed-request"),
        ("data:image/png;base64", 400, "malformed-request"),
        ("aGVsbG8=", 415, "not-an-image"),
    ],
)
async def test_what_is_no_image_in_text_is_refused_and_leaves_nothing(
    shared: Host, send: Send, source: str, status: int, code: str
) -> None:
    before = shared.files("spool")
    reply = await send(shared, source)
    body = await reply.json()
    assert (reply.status, body["status_code"], body["error"]["context"]) == (status, status, code)
    assert shared.files("spool") == before


@WAYS
@pytest.mark.parametrize(
    ("expiration", "seconds"),
    [
        ("PT5M", 300),
        ("P3D", 3 * DAY_S),
        ("P1M", 30 * DAY_S),
        ("P1Y", 365 * DAY_S),
        ("P1WT1H1S", 7 * DAY_S + 3601),
        ("600", 600),
        ("", 365 * DAY_S),
    ],
)
async def test_expiration_is_a_duration(shared: Host, send: Send, expiration: str, seconds: int) -> None:
    reply = await send(shared, base64.b64encode(pictures.png(9, 9)).decode(), expiration=expiration)
    image = await shared.appliance.delivery.resolve((await reply.json())["image"]["id_encoded"])
    assert image.expires_s - image.created_s == seconds


@pytest.mark.parametrize("expiration", ["P", "PT", "P1DT", "soon", "P1.5D", "-P1D", "P9Y", "PT0S", "1d"])
async def test_an_expiration_that_is_none_is_refused(shared: Host, jpeg: bytes, expiration: str) -> None:
    reply = await urlencoded(shared, base64.b64encode(jpeg).decode(), expiration=expiration)
    assert (reply.status, (await reply.json())["error"]["context"]) == (400, "invalid-expiry")
    reply = await shared.client.post(PATH, params={"expiration": expiration}, data=jpeg)
    assert (reply.status, (await reply.json())["error"]["context"]) == (400, "invalid-expiry")


async def test_title_and_description_are_title_and_alt_text(shared: Host, jpeg: bytes) -> None:
    text = base64.b64encode(jpeg).decode()
    image = (await (await urlencoded(shared, text, title="Katze", description="Eine Katze")).json())["image"]
    assert (image["title"], image["description"]) == ("Katze", "Eine Katze")


async def test_txt_is_the_address_of_the_file_and_of_a_refusal_its_sentence(shared: Host, jpeg: bytes) -> None:
    form = FormData()
    form.add_field("source", jpeg, filename="cat.jpg")
    form.add_field("format", "txt")
    reply = await shared.client.post(PATH, data=form)
    url = await reply.text()
    assert (reply.status, reply.content_type, url.startswith(f"{BASE}/i/")) == (200, "text/plain", True)
    assert await (await shared.get(url.removeprefix(BASE))).read() == jpeg
    reply = await shared.client.post(f"{PATH}?format=txt", data=b"no image")
    assert (reply.status, reply.content_type) == (415, "text/plain")
    assert (await reply.text()).count("\n") == 1


async def test_redirect_leads_to_the_share_page_and_a_refusal_is_json(shared: Host, jpeg: bytes) -> None:
    reply = await shared.client.post(f"{PATH}?format=redirect", data=jpeg, allow_redirects=False)
    assert reply.status == 303
    assert (await shared.get(reply.headers["Location"])).status == 200
    reply = await shared.client.post(f"{PATH}?format=redirect", data=b"no image")
    assert (await reply.json())["error"]["context"] == "not-an-image"
    reply = await shared.client.post(f"{PATH}?format=yaml", data=jpeg)
    assert (await reply.json())["status_code"] == 200


async def test_a_form_of_countless_fields_ends(shared: Host) -> None:
    for body in (b"&" * 100_000, b"a=1&" * 1000, b"x" * 100_000):
        reply = await shared.client.post(PATH, data=body, headers=URLENCODED)
        assert (reply.status, (await reply.json())["error"]["context"]) == (400, "malformed-request")


async def test_an_upload_by_text_may_wait_for_100(shared: Host) -> None:
    body = urlencode({"source": base64.b64encode(pictures.png(9, 9)).decode()})
    reply = await shared.client.post(PATH, data=body, headers=URLENCODED | {"Expect": "100-continue"})
    assert reply.status == 200
