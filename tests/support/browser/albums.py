"""Albums for browser tests: made by API, and the way to their manage pages."""

from typing import Any

from tests.support.browser.pages import Site
from tests.support.images import pictures

NAMES = ["one.jpg", "two.jpg", "three.jpg", "four.jpg"]
SHAPES = [(1200, 800), (400, 1200), (1600, 400), (30, 30)]


async def album_of(site: Site, count: int = 4, **members: object) -> dict[str, Any]:
    """A new album of pictures of different shapes."""
    images = [
        await site.upload(pictures.photo(*shape, seed=number), name)
        for number, (name, shape) in enumerate(zip(NAMES[:count], SHAPES[:count], strict=True))
    ]
    body = {"images": [image["slug"] for image in images], "title": "A weekend"} | members
    async with site.session.post(f"{site.url}/api/v1/albums", json=body) as reply:
        assert reply.status == 201, await reply.text()
        album: dict[str, Any] = await reply.json()
        return album


async def album_now(site: Site, album: dict[str, Any]) -> dict[str, Any]:
    """The album that the server knows."""
    async with site.session.get(f"{site.url}/api/v1/albums/{album['slug']}") as reply:
        now: dict[str, Any] = await reply.json()
        return now


async def names_now(site: Site, album: dict[str, Any]) -> list[str]:
    """The order that the server knows."""
    return [image["filename"] for image in (await album_now(site, album))["images"]]


def managing(album: dict[str, Any]) -> str:
    return f"/a/{album['slug']}#{album['delete_token']}"
