"""Bodies that are streamed: how many at once, and what happens when one can't be brought to its end."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

from aiohttp import web

from appliance.errors import ApplianceError, Busy
from appliance.http.callers import client_key
from appliance.http.keys import DOWNLOADS
from appliance.places import Place, Places

DOWNLOADS_AT_ONCE = 2048  # each is an open file or a connection to the store, and 256 KB of memory
RETRY_AFTER_S = 5

log = logging.getLogger(__name__)


def break_off(request: web.Request, fault: ApplianceError) -> NoReturn:
    """The headers are out, so no problem can be told: a cut connection is what shows that the bytes are not whole."""
    log.log(
        logging.INFO if isinstance(fault, Busy) else logging.ERROR, "%s was interrupted: %s", request.path, fault.detail
    )
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("the body broke off") from fault


def downloads() -> Places:
    return Places("downloads are in progress", DOWNLOADS_AT_ONCE, RETRY_AFTER_S)


@asynccontextmanager
async def download(request: web.Request, response: web.StreamResponse) -> AsyncIterator[Place]:
    """One of the places for replies that are streamed. A fault before the headers is told, later ones break off.

    Raises Busy as `Places.place` does, and what is raised in it.
    """
    try:
        async with request.app[DOWNLOADS].place(client_key(request)) as place:
            yield place
    except ApplianceError as fault:
        if not response.prepared:
            raise
        break_off(request, fault)
