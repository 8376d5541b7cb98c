"""The download of an album as one zip file."""

from contextlib import aclosing

from aiohttp import hdrs, web

from appliance.albums.zipping import AlbumZip
from appliance.errors import ApplianceError
from appliance.http.keys import ALBUMS, DELIVERY, RENDERING
from appliance.http.links import EXTENSIONS
from appliance.http.names import content_disposition
from appliance.http.streams import break_off
from appliance.wishes import safe_filename


async def show_zip(request: web.Request) -> web.StreamResponse:
    """GET /a/{slug}/zip: every original, in the album's order"""
    contents = await request.app[ALBUMS].show(request.match_info["slug"])
    delivery = request.app[DELIVERY]
    download = await request.app[RENDERING].run(lambda: AlbumZip(contents, delivery, EXTENSIONS))
    name = f"{safe_filename(contents.album.title or 'album')}.zip"
    headers = {
        hdrs.CONTENT_DISPOSITION: content_disposition(name, attachment=True),
        hdrs.CACHE_CONTROL: "no-store",
        "X-Robots-Tag": "noindex",
    }
    response = web.StreamResponse(headers=headers)
    response.content_type, response.content_length = "application/zip", download.length
    if request.method == hdrs.METH_HEAD:
        await response.prepare(request)
        return response
    await _pour(request, download, response)
    return response


async def _pour(request: web.Request, download: AlbumZip, response: web.StreamResponse) -> None:
    """A fault before the first byte is told as every other; later ones break the connection off."""
    async with aclosing(download.blocks()) as blocks:
        first = await anext(blocks)
        await response.prepare(request)
        await response.write(first)
        try:
            async for block in blocks:
                await response.write(block)
        except ApplianceError as fault:
            break_off(request, fault)
        await response.write_eof()
