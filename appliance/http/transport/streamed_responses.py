"""Streamed responses: how many at once, and how one that can't be completed ends."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

from aiohttp import web

from appliance.domain.errors import ApplianceError, Busy
from appliance.http.client_address import client_of
from appliance.http.keys import DOWNLOADS
from appliance.shared.concurrency_limit import ConcurrencyLimit, Permit

MAX_DOWNLOADS = 2048  # each takes an open file or a connection to the store, and 256 KB of memory
RETRY_AFTER_S = 5

log = logging.getLogger(__name__)


def abort_response(request: web.Request, fault: ApplianceError) -> NoReturn:
    """Cut the connection: the headers have been sent, so this is the only way to show that the body is incomplete."""
    level = logging.INFO if isinstance(fault, Busy) else logging.ERROR
    log.log(level, "%s was interrupted: %s", request.path, fault.detail)
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("the response was aborted") from fault


def download_limit() -> ConcurrencyLimit:
    return ConcurrencyLimit("downloads are in progress", MAX_DOWNLOADS, RETRY_AFTER_S)


@asynccontextmanager
async def download_permit(request: web.Request, response: web.StreamResponse) -> AsyncIterator[Permit]:
    """A permit for a streamed response.

    An ApplianceError raised inside becomes a problem response if the headers haven't been sent; later ones cut the
    connection. Raises Busy as `ConcurrencyLimit.permit` does.
    """
    try:
        async with request.app[DOWNLOADS].permit(client_of(request).id) as permit:
            yield permit
    except ApplianceError as fault:
        if not response.prepared:
            raise
        abort_response(request, fault)
