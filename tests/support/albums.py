"""What the suites of albums ask of a host."""

import io
import zipfile
from typing import Any

from aiohttp import ClientResponse

from tests.support.host import Host, bearer
from tests.support.images import pictures

Resource = dict[str, Any]
BROWSER = {"Accept": "text/html"}


async def uploaded(host: Host, count: int, **fields: str) -> list[Resource]:
    """Different images, named `photo-1.jpg` and so on."""
    return [
        await host.upload(pictures.photo(60 + number, 40, seed=number), f"photo-{number}.jpg", **fields)
        for number in range(1, count + 1)
    ]


def slugs_of(images: list[Resource]) -> list[str]:
    return [image["slug"] for image in images]


async def post(host: Host, *, key: str | None = None, **members: Any) -> ClientResponse:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await host.client.post("/api/v1/albums", json=members, headers=headers)


async def made(host: Host, images: list[Resource], **members: Any) -> Resource:
    """A new album of these images."""
    response = await post(host, images=slugs_of(images), **members)
    album: Resource = await response.json()
    assert response.status == 201, album
    return album


async def shown(host: Host, album: Resource) -> Resource:
    """The album as everybody sees it now."""
    response = await host.get(f"/api/v1/albums/{album['slug']}")
    resource: Resource = await response.json()
    assert response.status == 200, resource
    return resource


async def patch(host: Host, album: Resource, token: str | None = None, **members: Any) -> ClientResponse:
    token = album["delete_token"] if token is None else token
    return await host.client.patch(f"/api/v1/albums/{album['slug']}", json=members, headers=bearer(token))


async def changed(host: Host, album: Resource, **members: Any) -> Resource:
    """What the album is after an accepted change, as the reply and a GET tell it."""
    response = await patch(host, album, **members)
    resource: Resource = await response.json()
    assert response.status == 200, resource
    assert resource == await shown(host, album)
    assert "delete_token" not in resource
    return resource


async def delete(host: Host, album: Resource, token: str | None = None) -> ClientResponse:
    token = album["delete_token"] if token is None else token
    return await host.client.delete(f"/api/v1/albums/{album['slug']}", headers=bearer(token))


async def unzipped(response: ClientResponse) -> dict[str, bytes]:
    """The files of a zip, each checked against its checksum, in their order."""
    assert response.status == 200
    body = await response.read()
    assert len(body) == int(response.headers["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
        return {name: archive.read(name) for name in archive.namelist()}


# --- by forms -------------------------------------------------------------------------------------------------------


async def send(host: Host, path: str, **fields: str | list[str]) -> ClientResponse:
    """A form as browsers send it; lists are fields of the same name."""
    pairs = [(name, each) for name, value in fields.items() for each in ([value] if isinstance(value, str) else value)]
    return await host.client.post(path, data=pairs, headers=BROWSER)


async def manage(host: Host, album: Resource, **fields: str | list[str]) -> ClientResponse:
    return await send(host, f"/a/{album['slug']}/manage", **({"token": album["delete_token"]} | fields))
