"""Errors of reading a body, translated into the errors that clients see."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from appliance.config.model import Uploads
from appliance.domain.errors import ApplianceError, IncompleteUpload, MalformedRequest, SlowUpload

log = logging.getLogger(__name__)


@contextmanager
def translate_faults(limits: Uploads) -> Iterator[None]:
    """Translates errors of reading a body. Raises SlowUpload, IncompleteUpload or MalformedRequest."""
    try:
        yield
    except Exception as fault:
        if (named := translate_fault(fault, limits)) is None:
            raise
        raise named from fault


def translate_fault(fault: BaseException, limits: Uploads) -> ApplianceError | None:
    """The error for a client that was slow, disconnected, or sent an invalid form; None for other exceptions."""
    if isinstance(fault, TimeoutError):
        return SlowUpload(limit=round(limits.idle_timeout_s))
    if isinstance(fault, (web.RequestPayloadError, ConnectionError, ClientError, asyncio.IncompleteReadError)):
        return IncompleteUpload()
    if isinstance(fault, (ValueError, AssertionError, HttpProcessingError, web.HTTPException)):
        log.info("unreadable form: %s", fault)
        return MalformedRequest("The form can't be read because its parts are malformed.")
    return None
