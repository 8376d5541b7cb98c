"""The API of images, as a client of a server process uses it."""

from typing import Any

import aiohttp

from tests.support.images import pictures
from tests.support.server_process import ServerProcess

HARD_NAMES = ("Grüße aus Köln.jpg", "写真 №1.jpg", "a\"b'c\\d&e.jpg", "🦊" * 60 + ".jpg", "plain.jpg")


async def post(session: aiohttp.ClientSession, served: ServerProcess, data: bytes, filename: str, **fields: str) -> Any:
    form = aiohttp.FormData(quote_fields=False)  # names as browsers send them
    for name, value in fields.items():
        form.add_field(name, value)
    form.add_field("file", data, filename=filename, content_type="image/jpeg")
    async with session.post(f"{served.url}/api/v1/images", data=form) as reply:
        assert reply.status == 201, await reply.text()
        return await reply.json()


async def change(session: aiohttp.ClientSession, served: ServerProcess, image: Any, **changes: object) -> None:
    bearer = {"Authorization": f"Bearer {image['delete_token']}"}
    address = f"{served.url}/api/v1/images/{image['slug']}"
    request = (
        session.patch(address, json=changes, headers=bearer) if changes else session.delete(address, headers=bearer)
    )
    async with request as reply:
        assert reply.status in (200, 204), await reply.text()


async def fill(session: aiohttp.ClientSession, served: ServerProcess) -> Any:
    """Images of every kind that matters to a rebuild; the deleted one is returned."""
    for number, name in enumerate(HARD_NAMES):
        await post(session, served, pictures.photo(64, 64, seed=number), name)
    await post(session, served, pictures.photo(seed=20), "titled.jpg", title="Zwölf Boxkämpfer", alt="日本語 " * 300)
    changed = await post(session, served, pictures.photo(seed=21), "changed.jpg", title="Before")
    await change(session, served, changed, title="After", alt="Later", expires_in="30d")
    await change(session, served, await post(session, served, pictures.photo(seed=22), "kept.jpg"), expires_in="600d")
    await change(session, served, await post(session, served, pictures.photo(seed=23), "un.jpg", title="x"), title=None)
    await post(session, served, pictures.animated("gif"), "moving.gif", expires_in="3600")
    await post(session, served, pictures.alpha_png(), "clear.png")
    await post(session, served, pictures.photo(200, 200, seed=24, progressive=True), "progressive.jpg")
    huge = await post(session, served, pictures.photo(2500, 2400, seed=25, quality=30), "too-many-pixels.jpg")
    assert huge["state"] == "original-only"
    deleted = await post(session, served, pictures.photo(seed=26), "deleted.jpg")
    await change(session, served, deleted)
    return deleted
