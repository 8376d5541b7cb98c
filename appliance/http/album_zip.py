"""The download of an album as one zip file."""

from contextlib import aclosing

from aiohttp import hdrs, web

from appliance.albums.zipping import AlbumZip
from appliance.http.keys import ALBUMS, DELIVERY, RENDERING
from appliance.http.links import EXTENSIONS
from appliance.http.names import content_disposition
from appliance.http.streams import download
from appliance.wishes import safe_filename


async def show_zip(request: web.Request) -> web.StreamResponse:
    """GET /a/{slug}/zip: every original, in the album's order"""
    contents = await request.app[ALBUMS].show(request.match_info["slug"])
    delivery = request.app[DELIVERY]
    archive = await request.app[RENDERING].run(lambda: AlbumZip(contents, delivery, EXTENSIONS))
    name = f"{safe_filename(contents.album.title or 'album')}.zip"
    headers = {
        hdrs.CONTENT_DISPOSITION: content_disposition(name, attachment=True),
        hdrs.CACHE_CONTROL: "no-store",
        "X-Robots-Tag": "noindex",
    }
    response = web.StreamResponse(headers=headers)
    response.content_type, response.content_length = "application/zip", archive.length
    if request.method == hdrs.METH_HEAD:
        await response.prepare(request)
        return response
    await _pour(request, archive, response)
    return response


async def _pour(request: web.Request, archive: AlbumZip, response: web.StreamResponse) -> None:
    """A fault before the first byte is told as every other; later ones break the connection off."""
    async with download(request, response) as place, aclosing(archive.blocks()) as blocks:
        first = await anext(blocks)
        await response.prepare(request)
        await response.write(first)
        async for block in blocks:
            await response.write(block)
            place.moved(len(block))
    await response.write_eof()
