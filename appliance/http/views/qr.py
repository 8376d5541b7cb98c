"""The share link as a QR code, for opening it on a phone."""

import io

import segno
from aiohttp import web

from appliance.http.cache_tags import tags
from appliance.http.etags import is_not_modified
from appliance.http.image_headers import IMAGE_POLICY, NOINDEX, remaining_s
from appliance.http.image_lookup import resolve_even_closed
from appliance.http.keys import CONFIG
from appliance.http.links import Links

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


def qr_svg(link: str) -> bytes:
    """The code as SVG, on white in every theme."""
    drawn = io.BytesIO()
    segno.make(link, error="m", micro=False).save(
        drawn, kind="svg", border=4, light="#fff", xmldecl=False, omitsize=True
    )
    return drawn.getvalue()
