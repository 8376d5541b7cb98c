"""GET /nodes/uploads/{id_hash}: the bytes of a complete partial upload, for another node."""

from http import HTTPStatus

from aiohttp import web

from appliance.http.keys import RESUMABLE
from appliance.nodes.uploads import PATH

ROUTE = PATH + "{id_hash:[0-9a-f]{64}}"


async def show_part(request: web.Request) -> web.StreamResponse:
    """404 unless it has as many bytes as the other node expects."""
    path = await request.app[RESUMABLE].complete_part(request.match_info["id_hash"], int(request.query["length"]))
    return web.Response(status=HTTPStatus.NOT_FOUND) if path is None else web.FileResponse(path)
