"""The download of an album as one zip file."""

from contextlib import aclosing

from aiohttp import hdrs, web

from appliance.albums import Contents
from appliance.albums.zip_download import AlbumZip
from appliance.domain.upload_options import clean_filename
from appliance.http.client_address import client_of
from appliance.http.content_disposition import content_disposition
from appliance.http.keys import ALBUMS, DELIVERY, RENDERING
from appliance.http.links import EXTENSIONS
from appliance.http.transport.streamed_responses import download


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
    """What a download of these would have; the key is as short as what is kept under it."""
    key = "zip", contents.album.slug, hash(contents.state)
    length = await request.app[RENDERING].kept(
        client_of(request).key, key, lambda: str(_archive(request, contents).length).encode()
    )
    return int(length)


async def _pour(request: web.Request, contents: Contents, response: web.StreamResponse) -> None:
    """A fault before the first byte is told as every other; later ones break the connection off."""
    rendering, client = request.app[RENDERING], client_of(request).key
    async with download(request, response) as permit:
        with rendering.place(client):
            archive = await rendering.run(client, lambda: _archive(request, contents))
        response.content_length = archive.length
        async with aclosing(archive.blocks()) as blocks:
            first = await anext(blocks)
            await response.prepare(request)
            await response.write(first)
            async for block in blocks:
                await response.write(block)
                permit.moved(len(block))
    await response.write_eof()
