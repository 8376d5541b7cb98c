"""POST /nodes/usage: what clients used at another node, for the limits that hold for all nodes together."""

from http import HTTPStatus

from aiohttp import web

from appliance.domain.errors import MalformedRequest
from appliance.http.keys import LIMITS, ROUTINE
from appliance.http.transport.small_bodies import small_body
from appliance.nodes.usage import usage_in


async def count_usage(request: web.Request) -> web.Response:
    """Raises MalformedRequest for what is no report of usage."""
    request[ROUTINE] = True
    try:
        async with small_body(request):
            usage = usage_in(await request.read())
    except ValueError as fault:
        raise MalformedRequest(f"{fault}") from fault
    request.app[LIMITS].usage_reports.count(usage)
    return web.Response(status=HTTPStatus.NO_CONTENT)
