"""Invites in tests: an album with a guest link, and guests who add images by it."""

from typing import Any

from aiohttp import ClientResponse

from tests.support.albums import Resource, made, uploaded
from tests.support.host import Host, bearer

BROWSER = {"Accept": "text/html"}


async def album_with_invite(host: Host, **members: Any) -> tuple[Resource, Resource]:
    """A new album of one image, and an invite to it."""
    album = await made(host, await uploaded(host, 1), title="Wedding")
    return album, await invited(host, album, **members)


async def invited(host: Host, album: Resource, **members: Any) -> Resource:
    """A new invite to the album."""
    response = await make_invite(host, album, **members)
    invite: Resource = await response.json()
    assert response.status == 201, invite
    return invite


async def make_invite(host: Host, album: Resource, token: str | None = None, **members: Any) -> ClientResponse:
    token = album["delete_token"] if token is None else token
    return await host.client.post(f"/api/v1/albums/{album['slug']}/invites", json=members, headers=bearer(token))


async def listed(host: Host, album: Resource) -> list[Resource]:
    """The album's invites."""
    response = await host.client.get(f"/api/v1/albums/{album['slug']}/invites", headers=bearer(album["delete_token"]))
    assert response.status == 200
    invites: list[Resource] = (await response.json())["invites"]
    return invites


async def close(host: Host, album: Resource, invite: Resource) -> ClientResponse:
    path = f"/api/v1/albums/{album['slug']}/invites/{invite['id']}"
    return await host.client.delete(path, headers=bearer(album["delete_token"]))


def token_of(invite: Resource) -> str:
    """The token in the link of a new invite."""
    return str(invite["url"]).rpartition("/")[2]


def guest(invite: Resource) -> dict[str, str]:
    """The header of a guest's upload."""
    return {"X-Invite": token_of(invite)}


async def add(host: Host, invite: Resource, data: bytes) -> ClientResponse:
    """A guest's upload."""
    return await host.client.post("/api/v1/images", data=data, headers=guest(invite))
