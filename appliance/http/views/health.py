"""Health for load balancers and monitors: alive, and ready with each part's state."""

from aiohttp import web

from appliance.http.keys import HEALTH
from appliance.http.responses import json_answer


async def healthz(_request: web.Request) -> web.Response:
    """GET /healthz: this process responds"""
    return web.Response(text="alive\n", headers={"Cache-Control": "no-store"})


async def readyz(request: web.Request) -> web.Response:
    """GET /readyz: 503 while starting, stopping or draining, or without an essential part"""
    ready, report = request.app[HEALTH].report()
    return json_answer(report, status=200 if ready else 503, headers={"Cache-Control": "no-store"})
