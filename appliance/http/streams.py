"""Bodies that are streamed: how many at once, and what happens when one can't be brought to its end."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn
from weakref import WeakValueDictionary

from aiohttp import web

from appliance.errors import ApplianceError, Busy
from appliance.http.callers import client_key
from appliance.places import Place, Places

DOWNLOADS_AT_ONCE = 2048  # each is an open file or a connection to the store, and 256 KB of memory
BEGUN_AT_ONCE = 8
"""Downloads of one client whose files are opened at the same moment. A thousand would hold up everybody's views."""
RETRY_AFTER_S = 5

log = logging.getLogger(__name__)


class Downloads(Places):
    """The replies that are streamed at the same moment, and those that begin."""

    def __init__(self) -> None:
        super().__init__("downloads are under way", DOWNLOADS_AT_ONCE, RETRY_AFTER_S)
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def turn(self, client: str) -> asyncio.Semaphore:
        """The client's turn, to be held while what it downloads is looked up and opened."""
        return self._turns.setdefault(client, asyncio.Semaphore(BEGUN_AT_ONCE))


DOWNLOADS = web.AppKey("downloads", Downloads)


def break_off(request: web.Request, fault: ApplianceError) -> NoReturn:
    """The headers are out, so no problem can be told: a cut connection is what shows that the bytes are not whole."""
    log.log(logging.INFO if isinstance(fault, Busy) else logging.ERROR, "%s broke off: %s", request.path, fault.detail)
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("the body broke off") from fault


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
