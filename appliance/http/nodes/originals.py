"""GET /nodes/originals/{slug}: an original, or a part of it, for another node."""

from http import HTTPStatus

from aiohttp import web

from appliance.http.keys import DELIVERY
from appliance.nodes.originals import PATH

ROUTE = PATH + "{slug:[0-9A-Za-z]{1,64}}"


async def show_original(request: web.Request) -> web.StreamResponse:
    """404 if the file isn't here, 409 if it isn't the one that the other node's row describes."""
    delivery, wanted = request.app[DELIVERY], request.query
    image = await delivery.resolve(request.match_info["slug"])
    if image.sha256 != wanted["sha256"]:
        return web.Response(status=HTTPStatus.CONFLICT)
    original = await delivery.original_here(image, int(wanted["start"]), int(wanted["length"]))
    if original is None:
        return web.Response(status=HTTPStatus.NOT_FOUND)
    response = web.StreamResponse()
    response.content_length = original.length
    try:
        await response.prepare(request)
        async for block in original.blocks():
            await response.write(block)
        await response.write_eof()
    finally:
        await original.close()
    return response
