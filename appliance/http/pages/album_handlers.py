"""Showing albums to anybody who has the link: the album, each of its images with its neighbours, and its codes."""

from collections.abc import Callable, Hashable

from aiohttp import hdrs, web

from appliance.albums import Contents
from appliance.domain.errors import ApplianceError, GoneAlbum, UnknownImage, UnknownRendition
from appliance.http.album_lookup import find_album
from appliance.http.client_address import client_of
from appliance.http.keys import ALBUMS, BACKGROUND_RENDERER, CONFIG, DELIVERY
from appliance.http.links import album_path, share_path
from appliance.http.pages.album_embed_codes import sizes_of
from appliance.http.pages.album_pages import AlbumPages
from appliance.http.pages.gone import with_gone_page
from appliance.http.pages.html_responses import redirect_response, shared_page_response
from appliance.http.pages.selection import pages_of

DEFAULT_SIZE = "medium"


async def gone_page(request: web.Request, slug: str, problem: ApplianceError | None = None) -> str:
    """The 410 page of an album."""
    ended, until_s = await request.app[ALBUMS].ending(slug)
    return pages_of(request).albums.gone_page(slug, ended, restorable_until_s=until_s, problem=problem)


async def shared_album_page(
    request: web.Request, kind: Hashable, render: Callable[[AlbumPages, Contents], str]
) -> web.Response:
    """A page of the album that is the same for everybody, rendered once while nothing changes, and revalidated.

    `kind` tells the album's pages apart. Raises Busy, and as `find_album` does.
    """
    slug, pages = request.match_info["slug"], pages_of(request).albums
    contents = await find_album(request)
    key = kind, pages.cache_key(contents)
    page = await request.app[BACKGROUND_RENDERER].cached(
        client_of(request).id, key, lambda: render(pages, contents).encode()
    )
    return shared_page_response(request, page, slug)


@with_gone_page(GoneAlbum, gone_page)
async def show_album(request: web.Request) -> web.Response:
    """GET /a/{slug}"""
    return await shared_album_page(request, "page", AlbumPages.album_page)


async def redirect_to_album(request: web.Request) -> web.Response:
    """GET /a/{slug}/: programs and people add a slash to links"""
    return redirect_response(request, album_path(request.match_info["slug"]))


@with_gone_page(GoneAlbum, gone_page)
async def show_codes(request: web.Request) -> web.Response:
    """GET /a/{slug}/codes?size=…: embed codes of all its images"""
    sizes, size = sizes_of(request.app[CONFIG]), request.query.get("size", DEFAULT_SIZE)
    if size not in sizes:
        if "size" in request.query:
            raise UnknownRendition()
        size = sizes[-1]
    return await shared_album_page(
        request, ("codes", size), lambda pages, contents: pages.codes_page(contents.opened(), size, sizes)
    )


@with_gone_page(GoneAlbum, gone_page)
async def show_image(request: web.Request) -> web.Response:
    """GET /a/{slug}/{image}: one image with its neighbours; a closed one has only its own page"""
    slug, image = request.match_info["slug"], request.match_info["image"]
    contents = await find_album(request)
    place = contents.place(image)
    if place is None:
        await request.app[DELIVERY].resolve(image)  # raises GoneImage for one that has expired or was deleted
        raise UnknownImage("This image isn't in the album, or is no longer in it.")
    if contents.images[place].is_closed:
        return web.Response(status=303, headers={hdrs.LOCATION: share_path(image), hdrs.CACHE_CONTROL: "no-store"})
    summary = await request.app[DELIVERY].summarize_renditions(contents.images[place])
    page = pages_of(request).albums.image_page(contents, place, summary)
    return shared_page_response(request, page, slug, image)
