"""ETags: one for a body that is made on request, and whether a client has the current one."""

import hashlib
import re

from aiohttp import hdrs, web

from appliance.domain.preconditions import AllowedVersions

_VERSION = re.compile(r'"([0-9]{1,18})"', re.ASCII)


def page_etag(body: bytes) -> str:
    """A strong ETag, quoted, that changes with the body."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def version_etag(version: int) -> str:
    """A strong ETag, quoted, of an image or album in the API: it changes with each of its changes."""
    return f'"{version}"'


def allowed_versions(request: web.Request) -> AllowedVersions:
    """The versions that If-Match names; None without it, and for `*`. Weak ETags name none (RFC 9110, 13.1.1)."""
    given = request.headers.getall(hdrs.IF_MATCH, ())
    if not given or given == ["*"]:
        return None
    tags = (tag.strip() for tag in ",".join(given).split(","))
    return frozenset(int(match[1]) for tag in tags if (match := _VERSION.fullmatch(tag)))


def is_not_modified(request: web.Request, etag: str) -> bool:
    """Whether the client's If-None-Match names this version; weak and strong tags count alike (RFC 9110, 13.1.2)."""
    given = request.headers.get(hdrs.IF_NONE_MATCH, "")
    return given == "*" or etag in (tag.strip().removeprefix("W/") for tag in given.split(","))
