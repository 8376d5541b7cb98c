"""DELETE /nodes/images/{slug}: another node erases an image that has ended."""

from http import HTTPStatus

from aiohttp import web

from appliance.http.keys import ERASE_HERE
from appliance.nodes.erasing import PATH

ROUTE = PATH + "{slug:[0-9A-Za-z]{1,64}}"


async def erase(request: web.Request) -> web.Response:
    """204 once nothing of the image is left on this node; 409 while it lives or is being shipped."""
    is_erased = await request.app[ERASE_HERE](request.match_info["slug"])
    return web.Response(status=HTTPStatus.NO_CONTENT if is_erased else HTTPStatus.CONFLICT)
