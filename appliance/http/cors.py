"""CORS preflights: the API is open to every origin, because nothing is authorised by cookies."""

from aiohttp import web

ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
ALLOWED_HEADERS = (
    "Authorization, Cache-Control, Content-Digest, Content-Disposition, Content-Type, Idempotency-Key, If-Match, "
    "If-None-Match, Proof-Of-Work, Range, Upload-Complete, Upload-Draft-Interop-Version, Upload-Incomplete, "
    "Upload-Length, Upload-Offset, X-API-Key, X-Invite, X-Passphrase, X-Request-ID, X-Requested-With"
)
"""Cache-Control and X-Requested-With come with every upload of Dropzone."""
DAY_S = 86_400


async def preflight(_request: web.Request) -> web.Response:
    """OPTIONS /api/…"""
    headers = {
        "Access-Control-Allow-Methods": ALLOWED_METHODS,
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Max-Age": str(DAY_S),
    }
    return web.Response(status=204, headers=headers)
