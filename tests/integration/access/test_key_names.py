"""What programs call an access key: under none of these names is one overlooked, as if the request had no key."""

import base64

import pytest
from aiohttp import ClientResponse

from appliance.domain.model import Image
from tests.support.access import form, minted, raw
from tests.support.albums import slugs_of, uploaded
from tests.support.host import Host, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")
WRONG = "imgk_" + "0" * 44
HEADERS = ("Api-Key", "X-Access-Token", "X-Auth-Token", "X-Token", "Authentication", "Proxy-Authorization")
FIELDS = ("key", "api_key", "apiKey", "X-API-Key", "api-token", "auth_token", "access_key", "token", "Authorization")


async def key_of(host: Host, reply: ClientResponse) -> str | None:
    """The key that the image remembers which was uploaded."""
    assert reply.status == 201
    image = await host.appliance.catalogue.images.get((await reply.json())["slug"])
    assert isinstance(image, Image)
    return image.access_key


@pytest.mark.parametrize("name", HEADERS)
async def test_a_header_of_another_name_brings_a_key(shared: Host, jpeg: bytes, name: str) -> None:
    key = await minted(shared, name)
    assert await key_of(shared, await raw(shared, jpeg, {name: f"Bearer {key}"})) == key[5:15]
    await problem(await raw(shared, jpeg, {name: WRONG}), "key-invalid")


@pytest.mark.parametrize("name", FIELDS)
async def test_a_field_of_another_name_brings_a_key(shared: Host, jpeg: bytes, name: str) -> None:
    key = await minted(shared, f"field {name}")
    assert await key_of(shared, await shared.client.post("/api/v1/images", data=form(jpeg, **{name: key}))) == key[5:15]
    await problem(await shared.client.post("/api/v1/images", data=form(jpeg, **{name: WRONG})), "key-invalid")
    await problem(await shared.client.post(f"/api/v1/images?{name}={WRONG}", data=jpeg), "key-invalid")


@pytest.mark.parametrize("name", ["key", "api_key"])
async def test_a_key_in_a_file_is_read(shared: Host, jpeg: bytes, name: str) -> None:
    """As `curl -F key=@key.txt -F file=@cat.jpg` sends it."""
    key = await minted(shared, f"file {name}")
    fields = form(key.encode() + b"\n", name)
    fields.add_field("file", jpeg, filename="a.jpg")
    assert await key_of(shared, await shared.client.post("/api/v1/images", data=fields)) == key[5:15]


@pytest.mark.parametrize("name", ["key", "api_key", "token"])
async def test_the_form_for_an_album_reads_a_key(shared: Host, name: str) -> None:
    images = "\n".join(slugs_of(await uploaded(shared, 1)))
    fields = {"images": images, name: WRONG}
    page = await shared.client.post("/a", data=fields, headers={"Accept": "text/html"})
    assert page.status == 401
    assert (await shared.client.post("/a", data=fields | {name: await minted(shared, f"album {name}")})).status == 201


async def test_basic_authentication_needs_no_padding_and_no_standard_alphabet(shared: Host, jpeg: bytes) -> None:
    key = await minted(shared, "basic")
    for number in range(3):  # one of them ends without padding anyway
        sent = base64.urlsafe_b64encode(f"{'ü>' * number}{'a' * number}:{key}".encode()).decode().rstrip("=")
        assert await key_of(shared, await raw(shared, jpeg, {"Authorization": f"Basic {sent}"})) == key[5:15]


async def test_a_key_behind_the_file_is_refused(shared: Host, jpeg: bytes) -> None:
    fields = form(jpeg)
    fields.add_field("key", await minted(shared))
    await problem(await shared.client.post("/api/v1/images", data=fields), "invalid-field")
