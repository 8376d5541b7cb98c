"""The link of an image or album as a QR code, for opening it on a phone."""

from aiohttp import web

from appliance.http.cache_tags import tags
from appliance.http.etags import is_not_modified
from appliance.http.image_headers import IMAGE_POLICY, NOINDEX, remaining_s
from appliance.http.image_lookup import resolve_even_closed
from appliance.http.keys import ALBUMS, CONFIG
from appliance.http.links import Links
from appliance.http.qr_codes import qr_svg

MAX_AGE_S = 86_400
ETAG = '"1"'  # the code depends only on its address; increase this when the drawing changes


async def show_qr(request: web.Request) -> web.Response:
    """GET /i/{slug}/qr.svg: of a closed image too, because it shows the link alone"""
    image = await resolve_even_closed(request)
    return _code_response(request, Links.of(request.app[CONFIG]).share(image.slug), image.slug, image.expires_s)


async def show_album_qr(request: web.Request) -> web.Response:
    """GET /a/{slug}/qr.svg: of a closed album too"""
    contents = await request.app[ALBUMS].show(request.match_info["slug"])
    slug = contents.album.slug
    return _code_response(request, Links.of(request.app[CONFIG]).album(slug), slug, contents.ends_s)


def _code_response(request: web.Request, link: str, slug: str, ends_s: int) -> web.Response:
    headers = {
        "ETag": ETAG,
        "Cache-Control": f"public, max-age={min(MAX_AGE_S, remaining_s(request, ends_s))}",
        "Content-Security-Policy": IMAGE_POLICY,
        **tags(slug),
        **NOINDEX,
    }
    if is_not_modified(request, ETAG):
        return web.Response(status=304, headers=headers)
    return web.Response(body=qr_svg(link), content_type="image/svg+xml", headers=headers)
