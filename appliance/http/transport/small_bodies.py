"""Bodies that are read as a whole: forms without a file, and JSON. They have a deadline, and only so many come at once.

Thousands that stand still would else keep everybody out.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from appliance.domain.errors import SlowUpload
from appliance.http.client_address import client_of
from appliance.http.keys import CONFIG, SMALL_BODIES
from appliance.http.transport.request_heads import refuse_encoded
from appliance.shared.concurrency_limit import ConcurrencyLimit

DEADLINE_S = 30.0  # 64 KB, the most that is read as a whole, at the rate of a poor phone line
MAX_SMALL_BODIES = 1024
RETRY_AFTER_S = 5


def small_body_limit() -> ConcurrencyLimit:
    return ConcurrencyLimit("requests are being received", MAX_SMALL_BODIES, RETRY_AFTER_S)


@asynccontextmanager
async def small_body(request: web.Request) -> AsyncIterator[None]:
    """The time in which a body is read as a whole. Raises SlowUpload when it is over, EncodedBody before, and Busy as
    `ConcurrencyLimit.permit` does.
    """
    refuse_encoded(request)
    limit_s = min(DEADLINE_S, request.app[CONFIG].uploads.idle_timeout_s)
    scope = asyncio.timeout(limit_s)
    try:
        async with request.app[SMALL_BODIES].permit(client_of(request).key), scope:
            yield
    except TimeoutError as fault:
        if not scope.expired():
            raise
        shown_s = max(1, round(limit_s))
        raise SlowUpload(f"The request didn't arrive within {shown_s} seconds. Try again.", limit=shown_s) from fault
