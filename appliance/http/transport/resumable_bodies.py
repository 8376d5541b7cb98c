"""Bodies of resumable uploads: whatever arrives is kept, however the connection ends."""

from collections.abc import AsyncIterator

from aiohttp import web

from appliance.config.model import Uploads
from appliance.domain.errors import IncompleteUpload
from appliance.http.transport.body_faults import translate_fault
from appliance.http.transport.connections import open_body, read_unread
from appliance.http.transport.timeouts import Timeouts


def announced_bytes(request: web.Request) -> int | None:
    """How many bytes the body has; None if its head doesn't say."""
    return request.content_length if request.content_length is not None or request.body_exists else 0


async def received(request: web.Request, limits: Uploads) -> AsyncIterator[bytes]:
    """The body. If the connection breaks, what arrived before that comes first, so that it is kept.

    Raises SlowUpload and IncompleteUpload.
    """
    content = request.content
    open_body(request)
    try:
        async for chunk in Timeouts(limits.idle_timeout_s).stream(content.iter_any()):
            yield chunk
    except Exception as fault:
        if rest := read_unread(content):
            yield rest
        raise translate_fault(fault, limits) or IncompleteUpload(
            "The connection was lost. What arrived is kept; resume the upload."
        ) from fault
