"""Bans at the door: a banned client is refused before anything of its request is read.

A ban of a network holds for everybody who comes from there, with an access key or without; a ban of a key holds
everywhere.
"""

from aiohttp import hdrs, web

from appliance.domain.clients import Client
from appliance.domain.errors import Banned
from appliance.http.always_open import is_always_open
from appliance.http.client_address import client_of
from appliance.http.keys import BANS, METRICS, REFUSED_EARLY

_READING = (hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS)


def refuse_banned(request: web.Request, client: Client) -> None:
    """Raises Banned."""
    if is_always_open(request):
        return
    try:
        request.app[BANS].require_not_banned(client, viewing=_is_viewing(request))
    except Banned:
        request[REFUSED_EARLY] = True
        request.app[METRICS].banned.inc()
        raise


def ban_of(request: web.Request) -> Banned | None:
    """What keeps a client who may view from uploading and changing anything: a ban of its address, or of its key."""
    try:
        request.app[BANS].require_not_banned(client_of(request), viewing=False)
    except Banned as ban:
        return ban
    return None


def _is_viewing(request: web.Request) -> bool:
    """Whether the request changes nothing: it may be a form that opens what is locked, or spends one view."""
    is_opening = request.path.startswith(("/i/", "/a/")) and request.path.endswith(("/unlock", "/view"))
    return request.method in _READING or (request.method == hdrs.METH_POST and is_opening)
