"""Bans at the door: a banned client is refused before anything of its request is read.

A ban of a network holds for everybody who comes from there, with an access key or without; a ban of a key holds
everywhere.
"""

from aiohttp import hdrs, web

from appliance.domain.clients import Client
from appliance.domain.errors import Banned
from appliance.http.keys import BANS, METRICS, REFUSED_EARLY

STATIC = "/static/"
"""What the page needs that says so."""
HEALTH = ("/healthz", "/readyz")
"""What a supervisor asks, which may be in a network that is banned."""
_READING = (hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS)


def refuse_banned(request: web.Request, client: Client) -> None:
    """Raises Banned."""
    is_viewing = _is_viewing(request)
    if request.path.startswith(STATIC) or (request.path in HEALTH and is_viewing):
        return
    try:
        request.app[BANS].require_not_banned(client, viewing=is_viewing)
    except Banned:
        request[REFUSED_EARLY] = True
        request.app[METRICS].banned.inc()
        raise


def _is_viewing(request: web.Request) -> bool:
    """Whether the request changes nothing: it may be a form that opens what is locked, or spends one view."""
    is_opening = request.path.startswith(("/i/", "/a/")) and request.path.endswith(("/unlock", "/view"))
    return request.method in _READING or (request.method == hdrs.METH_POST and is_opening)
