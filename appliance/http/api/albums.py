"""The album resource of the API: create, read, change, delete."""

from typing import Any

from aiohttp import web

from appliance.albums import AlbumChanges, AlbumOptions, Contents, Move
from appliance.albums.contents import restorable_until_s
from appliance.catalogue import UNCHANGED, Unchanged
from appliance.domain.clock import Clock
from appliance.domain.errors import GoneAlbum, InvalidExpiry, InvalidField
from appliance.http.album_lookup import find_album
from appliance.http.api.album_resource import album_resource
from appliance.http.api.deletions import asks_for_bin, deletion_response, tell_owner
from appliance.http.client_address import client_of
from appliance.http.closed import give_pass
from appliance.http.delete_tokens import delay_wrong_tokens, ownership_proof
from appliance.http.etags import allowed_versions, version_etag
from appliance.http.json_fields import (
    asks_to_restore,
    expiry_member,
    json_object,
    parse_seconds,
    passphrase_member,
    text_member,
    texts_member,
)
from appliance.http.keys import ALBUMS, BACKGROUND_RENDERER, CLOCK, CONFIG, UPLOADERS
from appliance.http.links import album_path
from appliance.http.passphrase_header import new_passphrase, refuse_unread
from appliance.http.responses import json_bytes

CREATION_MEMBERS = frozenset({"images", "title", "description", "cover", "expires_in", "passphrase"})
MEMBERS = frozenset(
    {
        *("title", "description", "cover", "expires_in", "expires_at", "passphrase", "add", "remove", "order"),
        *("move", "restore", "deleted"),
    }
)
NO_STORE = {"Cache-Control": "no-store"}
JSON = "application/json"


async def create_album(request: web.Request) -> web.Response:
    """POST /api/v1/albums"""
    request.app[UPLOADERS].require(client_of(request))
    body = await json_object(request, CREATION_MEMBERS)
    expires_in = body.get("expires_in")
    options = AlbumOptions(
        images=texts_member(body, "images"),
        title=_text(body, "title"),
        description=_text(body, "description"),
        cover=_text(body, "cover"),
        expires_in_s=None if expires_in is None else parse_seconds(expires_in),
        idempotency_key=request.headers.get("Idempotency-Key"),
        passphrase=new_passphrase(request, _given(passphrase_member(body))),
    )
    renderer, client = request.app[BACKGROUND_RENDERER], client_of(request)
    with renderer.reserve(client.id):
        created = await request.app[ALBUMS].create(options, client)
        answer = await renderer.run_in_turn(
            client.id, lambda: _resource(request, created.contents, created.delete_token)
        )
    headers = {"Location": album_path(created.contents.album.slug), **_headers(created.contents)}
    response = web.Response(body=answer, status=201, headers=headers, content_type=JSON)
    give_pass(request, response, created.contents.album)
    return response


def _text(body: dict[str, Any], name: str) -> str | None:
    """A text of a new album; None if it is absent. Raises InvalidField."""
    return _given(text_member(body, name))


def _given(text: str | Unchanged | None) -> str | None:
    return None if isinstance(text, Unchanged) else text


def _resource(request: web.Request, contents: Contents, delete_token: str | None = None) -> bytes:
    return json_bytes(album_resource(contents, request.app[CONFIG], delete_token=delete_token))


async def show_album(request: web.Request) -> web.Response:
    """GET /api/v1/albums/{slug}"""
    try:
        album = await find_album(request)
    except GoneAlbum as fault:
        fault.restorable_until_s = await tell_owner(request, request.app[ALBUMS].restorable_until_s)
        raise
    key = "json", album.state, album.ends_s
    answer = await request.app[BACKGROUND_RENDERER].cached(
        client_of(request).id, key, lambda: _resource(request, album)
    )
    return web.Response(body=answer, headers=_headers(album), content_type=JSON)


def _headers(contents: Contents) -> dict[str, str]:
    return {"ETag": version_etag(contents.album.version), **NO_STORE}


async def change_album(request: web.Request) -> web.Response:
    """PATCH /api/v1/albums/{slug}"""
    albums, slug, token = request.app[ALBUMS], request.match_info["slug"], ownership_proof(request)
    async with delay_wrong_tokens(request):
        before = await albums.owned(slug, token)
    body = await json_object(request, MEMBERS)
    changes = AlbumChanges(
        title=text_member(body, "title"),
        description=text_member(body, "description"),
        cover=text_member(body, "cover"),
        expires_s=_read_expiry(body, request.app[CLOCK]),
        add=texts_member(body, "add"),
        remove=texts_member(body, "remove"),
        order=texts_member(body, "order"),
        moves=_read_moves(body),
        restore=asks_to_restore(body),
        passphrase=passphrase_member(body),
    )
    refuse_unread(request, changes.passphrase, before.lock)
    renderer, client = request.app[BACKGROUND_RENDERER], client_of(request)
    with renderer.reserve(client.id):
        album = await albums.change(slug, token, changes, client=client, only_versions=allowed_versions(request))
        answer = await renderer.run_in_turn(client.id, lambda: _resource(request, album))
    response = web.Response(body=answer, headers=_headers(album), content_type=JSON)
    give_pass(request, response, album.album)
    return response


async def delete_album(request: web.Request) -> web.Response:
    """DELETE /api/v1/albums/{slug}"""
    slug, token, to_bin = request.match_info["slug"], ownership_proof(request), asks_for_bin(request)
    async with delay_wrong_tokens(request):
        album = await request.app[ALBUMS].delete(slug, token, to_bin=to_bin, only_versions=allowed_versions(request))
    return deletion_response(restorable_until_s(album, request.app[CLOCK]()), to_bin=to_bin)


def _read_moves(body: dict[str, Any]) -> tuple[Move, ...]:
    """Raises InvalidField."""
    moves = body.get("move", [])
    if not isinstance(moves, list) or not all(_is_move(move) for move in moves):
        raise InvalidField("move must be a list of objects with image, a slug, and after, a slug or null.")
    return tuple(Move(**move) for move in moves)


def _is_move(move: object) -> bool:
    if not isinstance(move, dict) or move.keys() != {"image", "after"}:
        return False
    return isinstance(move["image"], str) and isinstance(move["after"], str | None)


def _read_expiry(body: dict[str, Any], clock: Clock) -> int | Unchanged | None:
    """A unix second; None (null in JSON) to end with the last image."""
    given = [name for name in ("expires_in", "expires_at") if name in body]
    if not given:
        return UNCHANGED
    if len(given) == 1 and body[given[0]] is None:
        return None
    expires_s = expiry_member(body, clock)
    if expires_s is None:
        raise InvalidExpiry("Send either expires_in or expires_at, not both.")
    return expires_s
