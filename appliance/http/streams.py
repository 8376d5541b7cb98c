"""Bodies that are streamed, when they can't be brought to their end."""

import logging
from typing import NoReturn

from aiohttp import web

from appliance.errors import ApplianceError

log = logging.getLogger(__name__)


def break_off(request: web.Request, fault: ApplianceError) -> NoReturn:
    """The headers are out, so no problem can be told: a cut connection is what shows that the bytes are not whole."""
    log.error("%s broke off: %s", request.path, fault.detail)
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("the body broke off") from fault
