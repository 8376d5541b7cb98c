"""Bodies that are read whole: forms without a file, and JSON. Each has a deadline, and their number is limited.

Without limits, thousands of bodies that never arrive would keep everybody else out.
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

DEADLINE_S = 30.0  # for 64 KB, the largest such body, over a poor phone connection
MAX_SMALL_BODIES = 1024
RETRY_AFTER_S = 5


def small_body_limit() -> ConcurrencyLimit:
    return ConcurrencyLimit("requests are being received", MAX_SMALL_BODIES, RETRY_AFTER_S)


@asynccontextmanager
async def small_body(request: web.Request) -> AsyncIterator[None]:
    """Read the body inside this. Raises EncodedBody at once, SlowUpload at the deadline, and Busy as
    `ConcurrencyLimit.permit` does.
    """
    refuse_encoded(request)
    limit_s = min(DEADLINE_S, request.app[CONFIG].uploads.idle_timeout_s)
    scope = asyncio.timeout(limit_s)
    try:
        async with request.app[SMALL_BODIES].permit(client_of(request).id), scope:
            yield
    except TimeoutError as fault:
        if not scope.expired():
            raise
        shown_s = max(1, round(limit_s))
        raise SlowUpload(f"The request didn't arrive within {shown_s} seconds. Try again.", limit=shown_s) from fault
