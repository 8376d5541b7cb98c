"""An image's link as a QR code, for whoever stands before the screen with a phone."""

import io

import segno
from aiohttp import web

from appliance.http.keys import CLOCK, CONFIG
from appliance.http.links import Links
from appliance.http.requests import is_known
from appliance.http.views.pending import resolved

MAX_AGE_S = 86_400
IMAGE_POLICY = "sandbox; default-src 'none'"
ETAG = '"1"'  # the code follows from its address; raise this when it is drawn otherwise


async def show_qr(request: web.Request) -> web.Response:
    """GET /i/{slug}/qr.svg"""
    image = await resolved(request)
    left_s = max(0, image.expires_s - int(request.app[CLOCK]()))
    headers = {
        "ETag": ETAG,
        "Cache-Control": f"public, max-age={min(MAX_AGE_S, left_s)}",
        "Content-Security-Policy": IMAGE_POLICY,
        "Cache-Tag": image.slug,
        "Surrogate-Key": image.slug,
    }
    if is_known(request, ETAG):
        return web.Response(status=304, headers=headers)
    drawn = qr_svg(Links.of(request.app[CONFIG]).share(image.slug))
    return web.Response(body=drawn, content_type="image/svg+xml", headers=headers)


def qr_svg(link: str) -> bytes:
    """The code on a white ground, in whatever theme it is shown."""
    drawn = io.BytesIO()
    segno.make(link, error="m", micro=False).save(
        drawn, kind="svg", border=4, light="#fff", xmldecl=False, omitsize=True
    )
    return drawn.getvalue()
