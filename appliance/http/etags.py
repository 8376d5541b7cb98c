"""ETags: one for a body that is made on request, and whether a client has the current one."""

import hashlib

from aiohttp import hdrs, web


def page_etag(body: bytes) -> str:
    """A strong ETag, quoted, that changes with the body."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def is_not_modified(request: web.Request, etag: str) -> bool:
    """Whether the client's If-None-Match names this version; weak and strong tags count alike (RFC 9110, 13.1.2)."""
    given = request.headers.get(hdrs.IF_NONE_MATCH, "")
    return given == "*" or etag in (tag.strip().removeprefix("W/") for tag in given.split(","))
