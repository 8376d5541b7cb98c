"""The share link as a QR code, for opening it on a phone."""

from aiohttp import web

from appliance.http.cache_tags import tags
from appliance.http.etags import is_not_modified
from appliance.http.image_headers import IMAGE_POLICY, NOINDEX, remaining_s
from appliance.http.image_lookup import resolve_even_closed
from appliance.http.keys import CONFIG
from appliance.http.links import Links
from appliance.http.qr_codes import qr_svg

MAX_AGE_S = 86_400
ETAG = '"1"'  # the code depends only on its address; increase this when the drawing changes


async def show_qr(request: web.Request) -> web.Response:
    """GET /i/{slug}/qr.svg: of a closed image too, because it shows the link alone"""
    image = await resolve_even_closed(request)
    headers = {
        "ETag": ETAG,
        "Cache-Control": f"public, max-age={min(MAX_AGE_S, remaining_s(request, image))}",
        "Content-Security-Policy": IMAGE_POLICY,
        **tags(image.slug),
        **NOINDEX,
    }
    if is_not_modified(request, ETAG):
        return web.Response(status=304, headers=headers)
    drawn = qr_svg(Links.of(request.app[CONFIG]).share(image.slug))
    return web.Response(body=drawn, content_type="image/svg+xml", headers=headers)
