"""Bodies that are streamed: how many at once, and what happens when one can't be brought to its end."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

from aiohttp import web

from appliance.domain.errors import ApplianceError, Busy
from appliance.http.client_address import client_of
from appliance.http.keys import DOWNLOADS
from appliance.shared.concurrency_limit import ConcurrencyLimit, Permit

MAX_DOWNLOADS = 2048  # each is an open file or a connection to the store, and 256 KB of memory
RETRY_AFTER_S = 5

log = logging.getLogger(__name__)


def abort_response(request: web.Request, fault: ApplianceError) -> NoReturn:
    """The headers are out, so no problem can be told: a cut connection is what shows that the bytes are not whole."""
    log.log(
        logging.INFO if isinstance(fault, Busy) else logging.ERROR, "%s was interrupted: %s", request.path, fault.detail
    )
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("the body broke off") from fault


def download_limit() -> ConcurrencyLimit:
    return ConcurrencyLimit("downloads are in progress", MAX_DOWNLOADS, RETRY_AFTER_S)


@asynccontextmanager
async def download_permit(request: web.Request, response: web.StreamResponse) -> AsyncIterator[Permit]:
    """A permit for a reply that is streamed. A fault before the headers becomes a problem; later ones cut the
    connection.

    Raises Busy as `ConcurrencyLimit.permit` does, and what is raised in it.
    """
    try:
        async with request.app[DOWNLOADS].permit(client_of(request).key) as permit:
            yield permit
    except ApplianceError as fault:
        if not response.prepared:
            raise
        abort_response(request, fault)
