"""CORS preflights: the API is open to every origin, because nothing is authorised by cookies."""

from aiohttp import web

ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
ALLOWED_HEADERS = (
    "Authorization, Content-Disposition, Content-Type, Idempotency-Key, Range, Upload-Complete, "
    "Upload-Draft-Interop-Version, Upload-Incomplete, Upload-Length, Upload-Offset, X-Request-ID"
)
DAY_S = 86_400


async def preflight(_request: web.Request) -> web.Response:
    """OPTIONS /api/…"""
    headers = {
        "Access-Control-Allow-Methods": ALLOWED_METHODS,
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Max-Age": str(DAY_S),
    }
    return web.Response(status=204, headers=headers)
