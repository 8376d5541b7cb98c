"""The pages of albums for whoever has the link: the album, and each of its images with its neighbours."""

import hashlib

from aiohttp import hdrs, web

from appliance.domain.errors import ApplianceError, GoneAlbum, UnknownImage
from appliance.http.cache_tags import tags
from appliance.http.client_address import client_of
from appliance.http.keys import ALBUMS, CLOCK, CONFIG, DELIVERY, RENDERING
from appliance.http.pages.album_render import AlbumPages
from appliance.http.pages.gone import with_gone_page
from appliance.http.requests import is_known, pages_of

ASKED_ANEW = "public, no-cache"  # makers see their changes at once, and nobody sees a picture that ended


def album_pages_of(request: web.Request) -> AlbumPages:
    """The pages in the language that this browser's person reads."""
    return AlbumPages(pages_of(request), request.app[CONFIG], request.app[CLOCK])


def page_response(text: str | bytes, status: int = 200) -> web.Response:
    """A page that is this person's alone."""
    headers, page = {hdrs.CACHE_CONTROL: "no-store"}, text if isinstance(text, bytes) else text.encode()
    return web.Response(body=page, content_type="text/html", charset="utf-8", status=status, headers=headers)


async def gone(request: web.Request, slug: str, problem: ApplianceError | None = None) -> str:
    """The 410 page of an album."""
    ended, until_s = await request.app[ALBUMS].ending(slug)
    return album_pages_of(request).gone_page(slug, ended, restorable_until_s=until_s, problem=problem)


@with_gone_page(GoneAlbum, gone)
async def show_album(request: web.Request) -> web.Response:
    """GET /a/{slug}"""
    slug = request.match_info["slug"]
    contents, pages = await request.app[ALBUMS].show(slug), album_pages_of(request)
    page = await request.app[RENDERING].kept(
        client_of(request).key, ("page", pages.key(contents)), lambda: pages.album_page(contents).encode()
    )
    return _shared(request, page, slug)


@with_gone_page(GoneAlbum, gone)
async def show_image(request: web.Request) -> web.Response:
    """GET /a/{slug}/{image}: one image with its neighbours"""
    slug, image = request.match_info["slug"], request.match_info["image"]
    contents = await request.app[ALBUMS].show(slug)
    place = contents.place(image)
    if place is None:
        await request.app[DELIVERY].resolve(image)  # expired or deleted: told as such
        raise UnknownImage("This image isn't in the album, or is no longer in it.")
    glimpse = await request.app[DELIVERY].glimpse(contents.images[place])
    return _shared(request, album_pages_of(request).image_page(contents, place, glimpse).encode(), slug, image)


def _shared(request: web.Request, page: bytes, *slugs: str) -> web.Response:
    etag = f'"{hashlib.blake2b(page, digest_size=12).hexdigest()}"'
    response = web.Response(body=page, content_type="text/html", charset="utf-8")
    if is_known(request, etag):
        response = web.Response(status=304, headers={hdrs.VARY: "Accept-Language"})
    response.headers.update(
        {
            hdrs.CACHE_CONTROL: ASKED_ANEW,
            hdrs.ETAG: etag,
            "X-Robots-Tag": "noindex",
        }
        | tags(*slugs)
    )
    return response
