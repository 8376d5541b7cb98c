"""The access log: server errors as warnings, changes as info, views as debug; of a flood a bounded number of lines."""

import logging
from http import HTTPStatus

from aiohttp import hdrs, web

from appliance.http.client_address import client_of
from appliance.http.keys import LOG_BUDGET, REFUSED_EARLY, ROUTINE, TRUSTED_PROXIES
from appliance.http.links import GUESTS_PATH

log = logging.getLogger("appliance.access")


def log_request(request: web.Request, status: int, seconds: float) -> None:
    """Write the line of an answered request, if its level is on and the log's budget has room for it."""
    request.app[LOG_BUDGET].settle()
    level = _level(request, status)
    if log.isEnabledFor(level) and (level == logging.DEBUG or _has_room(request, status)):
        fields = {"client": request.app[TRUSTED_PROXIES].address(request), "ms": round(seconds * 1000, 1)}
        log.log(level, "%s %s %d", request.method, _loggable_path(request), status, extra=fields)


def _level(request: web.Request, status: int) -> int:
    """What a limit or a ban refuses is as quiet as views are: a flood must fill no log."""
    is_limited = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.PRECONDITION_REQUIRED) or REFUSED_EARLY in request
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.WARNING
    is_quiet = is_limited or ROUTINE in request or request.method in (hdrs.METH_GET, hdrs.METH_HEAD)
    return logging.DEBUG if is_quiet else logging.INFO


def _has_room(request: web.Request, status: int) -> bool:
    """Other refusals have a budget. What succeeds has limits of its own, and faults of this host are always written."""
    if status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return True
    return request.app[LOG_BUDGET].has_room(client_of(request).address)


def _loggable_path(request: web.Request) -> str:
    """The path, without the token of a guest link."""
    return f"{GUESTS_PATH}…" if request.path.startswith(GUESTS_PATH) else request.path
