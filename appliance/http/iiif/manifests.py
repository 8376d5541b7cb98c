"""GET /iiif/presentation/3/{slug}/manifest.json: images and albums for viewers of the IIIF Presentation API 3.0."""

from aiohttp import web

from appliance.albums import Contents
from appliance.domain.errors import UnknownAlbum, UnknownImage
from appliance.domain.model import Image
from appliance.http.client_address import client_of
from appliance.http.closed import refuse_closed
from appliance.http.iiif.json_ld import JsonLd
from appliance.http.iiif.manifest_resource import CONTEXT, LanguageMap, album_manifest, image_manifest
from appliance.http.image_headers import expiring_headers, image_headers
from appliance.http.image_lookup import resolve_public_image
from appliance.http.keys import ALBUMS, BACKGROUND_RENDERER, CONFIG, PAGES
from appliance.http.responses import json_bytes


async def show_manifest(request: web.Request) -> web.Response:
    """GET /iiif/presentation/3/{slug}/manifest.json, where the slug is an image's or an album's"""
    try:
        image = await resolve_public_image(request)
    except UnknownImage as unknown:
        return await _album_response(request, await _album(request, unknown))
    return _image_response(request, image)


async def _album(request: web.Request, unknown: UnknownImage) -> Contents:
    """The album of the path's slug. Raises GoneAlbum, Locked, AllLocked, and `unknown` if there is none."""
    try:
        contents = await request.app[ALBUMS].show(request.match_info["slug"])
    except UnknownAlbum:
        raise unknown from None
    refuse_closed(request, contents.album)
    return contents.opened()


def _image_response(request: web.Request, image: Image) -> web.Response:
    body = json_bytes(image_manifest(image, request.app[CONFIG]))
    document = JsonLd.for_request(request, body, CONTEXT)
    return document.response(request, image_headers(request, image, document.etag, private=True))


async def _album_response(request: web.Request, contents: Contents) -> web.Response:
    """It may be cached until the first image leaves the album."""
    body = await request.app[BACKGROUND_RENDERER].cached(
        client_of(request).id,
        ("manifest", contents.state),
        lambda: json_bytes(album_manifest(contents, request.app[CONFIG], _untitled(request))),
    )
    document = JsonLd.for_request(request, body, CONTEXT)
    changes_s = min(contents.ends_s, *(image.expires_s for image in contents.images))
    headers = expiring_headers(request, contents.album.slug, changes_s, document.etag, private=True)
    return document.response(request, headers)


def _untitled(request: web.Request) -> LanguageMap:
    """What an album without a title is called, in every language of the pages."""
    languages = (pages.language for pages in request.app[PAGES])
    return {language.tag: [language.gettext("Album")] for language in languages}
