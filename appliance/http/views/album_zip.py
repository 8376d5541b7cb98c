"""The download of an album as one zip file."""

from contextlib import aclosing

from aiohttp import hdrs, web

from appliance.albums import Contents
from appliance.albums.zip_download import AlbumZip
from appliance.domain.upload_options import clean_filename
from appliance.http.client_address import client_of
from appliance.http.content_disposition import content_disposition
from appliance.http.keys import ALBUMS, BACKGROUND_RENDERER, DELIVERY
from appliance.http.links import EXTENSIONS
from appliance.http.transport.streamed_responses import download_permit


async def show_zip(request: web.Request) -> web.StreamResponse:
    """GET /a/{slug}/zip: every original, in the album's order"""
    contents = await request.app[ALBUMS].show(request.match_info["slug"])
    name = f"{clean_filename(contents.album.title or 'album')}.zip"
    headers = {
        hdrs.CONTENT_DISPOSITION: content_disposition(name, attachment=True),
        hdrs.CACHE_CONTROL: "no-store",
        "X-Robots-Tag": "noindex",
    }
    response = web.StreamResponse(headers=headers)
    response.content_type = "application/zip"
    if request.method == hdrs.METH_HEAD:
        response.content_length = await _length(request, contents)
        await response.prepare(request)
        return response
    await _pour(request, contents, response)
    return response


def _archive(request: web.Request, contents: Contents) -> AlbumZip:
    return AlbumZip(contents, request.app[DELIVERY], EXTENSIONS)


async def _length(request: web.Request, contents: Contents) -> int:
    """The length of the download; the cache key is a hash, because the value is short too."""
    key = "zip", contents.album.slug, hash(contents.state)
    length = await request.app[BACKGROUND_RENDERER].cached(
        client_of(request).key, key, lambda: str(_archive(request, contents).length).encode()
    )
    return int(length)


async def _pour(request: web.Request, contents: Contents, response: web.StreamResponse) -> None:
    """Stream the zip. An error before the first byte becomes a problem response; later ones cut the connection."""
    renderer, client = request.app[BACKGROUND_RENDERER], client_of(request).key
    async with download_permit(request, response) as permit:
        with renderer.reserve(client):
            archive = await renderer.run_in_turn(client, lambda: _archive(request, contents))
        response.content_length = archive.length
        async with aclosing(archive.blocks()) as blocks:
            first = await anext(blocks)
            await response.prepare(request)
            await response.write(first)
            async for block in blocks:
                await response.write(block)
                permit.moved(len(block))
    await response.write_eof()
