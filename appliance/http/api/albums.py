"""The album resource of the API: make, read, change, delete."""

from typing import Any

from aiohttp import web

from appliance.albums import AlbumChanges, AlbumOptions, Contents
from appliance.catalogue import UNCHANGED, Unchanged
from appliance.domain.clock import Clock
from appliance.domain.errors import InvalidExpiry
from appliance.http.api.album_resource import album_resource
from appliance.http.client_address import client_of
from appliance.http.json_fields import expiry_member, json_object, restores, seconds_of, text_member, texts_member
from appliance.http.keys import ALBUMS, CLOCK, CONFIG, RENDERING
from appliance.http.links import album_path
from appliance.http.requests import bearer_token, patience
from appliance.http.responses import json_bytes

NEW_MEMBERS = frozenset({"images", "title", "expires_in"})
MEMBERS = frozenset({"title", "expires_in", "expires_at", "add", "remove", "order", "deleted"})
FRESH = {"Cache-Control": "no-store"}
JSON = "application/json"


async def create_album(request: web.Request) -> web.Response:
    """POST /api/v1/albums"""
    body = await json_object(request, NEW_MEMBERS)
    title, expires_in = text_member(body, "title"), body.get("expires_in")
    wishes = AlbumOptions(
        images=texts_member(body, "images"),
        title=None if isinstance(title, Unchanged) else title,
        expires_in_s=None if expires_in is None else seconds_of(expires_in),
        idempotency_key=request.headers.get("Idempotency-Key"),
    )
    rendering, client = request.app[RENDERING], client_of(request).key
    with rendering.place(client):
        made = await request.app[ALBUMS].create(wishes)
        answer = await rendering.run(client, lambda: _resource(request, made.contents, made.delete_token))
    headers = {"Location": album_path(made.contents.album.slug), **FRESH}
    return web.Response(body=answer, status=201, headers=headers, content_type=JSON)


def _resource(request: web.Request, contents: Contents, delete_token: str | None = None) -> bytes:
    return json_bytes(album_resource(contents, request.app[CONFIG], delete_token=delete_token))


async def show_album(request: web.Request) -> web.Response:
    """GET /api/v1/albums/{slug}"""
    album = await request.app[ALBUMS].show(request.match_info["slug"])
    key = "json", album.state, album.ends_s
    answer = await request.app[RENDERING].kept(client_of(request).key, key, lambda: _resource(request, album))
    return web.Response(body=answer, headers=FRESH, content_type=JSON)


async def change_album(request: web.Request) -> web.Response:
    """PATCH /api/v1/albums/{slug}"""
    albums, slug, token = request.app[ALBUMS], request.match_info["slug"], bearer_token(request)
    async with patience(request):
        await albums.owned(slug, token)
    body = await json_object(request, MEMBERS)
    changes = AlbumChanges(
        title=text_member(body, "title"),
        expires_s=_expiry(body, request.app[CLOCK]),
        add=texts_member(body, "add"),
        remove=texts_member(body, "remove"),
        order=texts_member(body, "order"),
        restore=restores(body),
    )
    rendering, client = request.app[RENDERING], client_of(request).key
    with rendering.place(client):
        album = await albums.change(slug, token, changes)
        answer = await rendering.run(client, lambda: _resource(request, album))
    return web.Response(body=answer, headers=FRESH, content_type=JSON)


async def delete_album(request: web.Request) -> web.Response:
    """DELETE /api/v1/albums/{slug}"""
    async with patience(request):
        await request.app[ALBUMS].delete(request.match_info["slug"], bearer_token(request))
    return web.Response(status=204, headers=FRESH)


def _expiry(body: dict[str, Any], clock: Clock) -> int | Unchanged | None:
    """None, said as null, is for as long as its images."""
    given = [name for name in ("expires_in", "expires_at") if name in body]
    if not given:
        return UNCHANGED
    if len(given) == 1 and body[given[0]] is None:
        return None
    wished = expiry_member(body, clock)
    if wished is None:
        raise InvalidExpiry("Send either expires_in or expires_at, not both.")
    return wished
