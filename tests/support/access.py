"""Access keys in tests: minting them, and every way to upload with one."""

import io
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from aiohttp import ClientResponse, FormData

from appliance.access.keys import NewKey
from appliance.domain.model import Image
from tests.support.host import Host
from tests.support.tus_client import VERSION

Way = Callable[[Host, bytes, dict[str, str]], Awaitable[ClientResponse]]


async def minted(host: Host, name: str = "scanner", **fields: Any) -> str:
    """The text of a new key."""
    _, text = await host.appliance.access_keys.add(NewKey(name, **fields))
    return text


async def only_image(host: Host) -> Image:
    """The newest image's row."""
    return (await host.appliance.catalogue.images.page())[-1]


def form(data: bytes, name: str = "file", **before: str) -> FormData:
    """A form whose fields come before its file."""
    fields = FormData()
    for field, value in before.items():
        fields.add_field(field, value)
    fields.add_field(name, io.BytesIO(data), filename="a.jpg", content_type="application/octet-stream")
    return fields


async def raw(host: Host, data: bytes, headers: dict[str, str]) -> ClientResponse:
    return await host.client.post("/api/v1/images", data=data, headers=headers)


async def api_form(host: Host, data: bytes, headers: dict[str, str]) -> ClientResponse:
    return await host.client.post("/api/v1/images", data=form(data), headers=headers)


async def put(host: Host, data: bytes, headers: dict[str, str]) -> ClientResponse:
    return await host.client.put("/a.jpg", data=data, headers=headers)


async def tus(host: Host, data: bytes, headers: dict[str, str]) -> ClientResponse:
    sent = {"Upload-Length": str(len(data)), "Content-Type": "application/offset+octet-stream"}
    return await host.client.post("/api/v1/uploads", data=data, headers=VERSION | sent | headers)


async def draft(host: Host, data: bytes, headers: dict[str, str]) -> ClientResponse:
    return await host.client.post("/api/v1/images", data=data, headers={"Upload-Complete": "?1"} | headers)


async def chevereto(host: Host, data: bytes, headers: dict[str, str]) -> ClientResponse:
    return await host.client.post("/api/1/upload", data=form(data, "source"), headers=headers)


BY_HEADER: tuple[Way, ...] = (raw, api_form, put, tus, draft, chevereto)


async def page_form(host: Host, data: bytes, key: str) -> ClientResponse:
    return await host.client.post("/", data=form(data, key=key), headers={"Accept": "text/html"})


async def api_field(host: Host, data: bytes, key: str) -> ClientResponse:
    return await host.client.post("/api/v1/images", data=form(data, key=key))


async def chevereto_field(host: Host, data: bytes, key: str) -> ClientResponse:
    return await host.client.post("/api/1/upload", data=form(data, "source", key=key))


async def chevereto_query(host: Host, data: bytes, key: str) -> ClientResponse:
    return await host.client.post(f"/api/1/upload?key={quote(key)}", data=form(data, "source"))


BY_FIELD = (page_form, api_field, chevereto_field, chevereto_query)
