"""The headers of a response that is an image: caching, cache tags, a policy that runs no scripts, and `noindex`."""

from aiohttp import hdrs, web

from appliance.domain.model import Image
from appliance.http.cache_control import Freshness
from appliance.http.cache_tags import tags
from appliance.http.keys import CLOCK, CONFIG

IMAGE_POLICY = "sandbox; default-src 'none'"
NOINDEX = {"X-Robots-Tag": "noindex"}
"""Also for files: a forum that shows one would lead image search to it."""


def image_headers(request: web.Request, image: Image, etag: str, *, private: bool = False) -> dict[str, str]:
    """The headers of what shows one image; `private` as in `expiring_headers`."""
    return expiring_headers(request, image.slug, image.expires_s, etag, private=private)


def expiring_headers(
    request: web.Request, slug: str, expires_s: int, etag: str, *, private: bool = False
) -> dict[str, str]:
    """The headers of what may be shown until `expires_s` (unix seconds); `slug` is an image's or an album's.

    `private` is for what differs by a request header that shared caches ignore.
    """
    freshness, left_s = Freshness.of(request.app[CONFIG].cdn), remaining_s(request, expires_s)
    return {
        hdrs.ETAG: etag,
        hdrs.CACHE_CONTROL: freshness.private(left_s) if private else freshness.public(left_s),
        **tags(slug),
        **NOINDEX,
        "Content-Security-Policy": IMAGE_POLICY,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }


def remaining_s(request: web.Request, expires_s: int) -> int:
    """How long an image or album lives from now on, in whole seconds; 0 when it has expired."""
    return max(0, expires_s - int(request.app[CLOCK]()))
