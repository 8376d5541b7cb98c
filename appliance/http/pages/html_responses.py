"""HTML responses: a page, one with a problem, one that shared caches may keep if they revalidate it; and redirects."""

from aiohttp import hdrs, web

from appliance.domain.errors import ApplianceError
from appliance.http.cache_control import BROWSER_S
from appliance.http.cache_tags import tags
from appliance.http.etags import is_not_modified, page_etag
from appliance.http.problems import headers_of, status_of

REVALIDATE = "public, no-cache"
"""Caches ask each time: owners see their changes at once, and an image that has ended is never shown."""


def page_response(page: str | bytes, status: int = 200, cache: str = "no-store") -> web.Response:
    body = page if isinstance(page, bytes) else page.encode()
    headers = {hdrs.CACHE_CONTROL: cache}
    return web.Response(body=body, content_type="text/html", charset="utf-8", status=status, headers=headers)


def problem_page_response(page: str | bytes, fault: ApplianceError) -> web.Response:
    """A page that explains `fault`, with the fault's status and headers."""
    response = page_response(page, status=status_of(fault))
    response.headers.update(headers_of(fault))
    return response


def redirect_response(request: web.Request, path: str) -> web.Response:
    """A permanent redirect to `path`, with the query of the request."""
    query = request.rel_url.raw_query_string
    headers = {
        hdrs.LOCATION: f"{path}?{query}" if query else path,
        hdrs.CACHE_CONTROL: f"public, max-age={BROWSER_S}",
    }
    return web.Response(status=301, headers=headers)


def shared_page_response(request: web.Request, page: str | bytes, *slugs: str) -> web.Response:
    """A page that shows the images or albums of `slugs`; 304 when the browser has this version."""
    body = page if isinstance(page, bytes) else page.encode()
    etag = page_etag(body)
    response = page_response(body, cache=REVALIDATE)
    if is_not_modified(request, etag):
        headers = {hdrs.CACHE_CONTROL: REVALIDATE, hdrs.VARY: "Accept-Language"}
        response = web.Response(status=304, headers=headers)
    response.headers.update({hdrs.ETAG: etag, "X-Robots-Tag": "noindex"} | tags(*slugs))
    return response
