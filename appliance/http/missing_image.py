"""What other sites show in place of an image of this host that has ended: a drawing, with the status of the error."""

from aiohttp import hdrs, web

from appliance.domain.errors import ApplianceError, GoneImage, UnknownImage
from appliance.http.image_headers import IMAGE_POLICY

DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240" viewBox="0 0 320 240">'
    b'<rect width="320" height="240" fill="#e4e2dd"/>'
    b'<g fill="none" stroke="#77736c" stroke-width="6" stroke-linecap="round" stroke-linejoin="round">'
    b'<rect x="108" y="76" width="104" height="88" rx="12"/><circle cx="136" cy="104" r="9"/>'
    b'<path d="M112 152l32-30 22 22 14-14 28 28"/><path d="M92 60l136 120"/></g></svg>'
)
"""An image, crossed out. It has no words, because it may stand on a page in any language."""


def is_embedded(request: web.Request, fault: ApplianceError) -> bool:
    """Whether the request is that of an image element on another site, and the image is not there.

    The pages of this host learn of it by the error. Browsers that don't say what they fetch prefer images in Accept.
    """
    if not isinstance(fault, (GoneImage, UnknownImage)) or not request.path.startswith("/i/"):
        return False
    if _is_own_page(request):
        return False
    if (destination := request.headers.get("Sec-Fetch-Dest")) is not None:
        return destination == "image"
    return request.headers.get(hdrs.ACCEPT, "").startswith("image/")


def _is_own_page(request: web.Request) -> bool:
    """Whether a page of this host embeds the image. Without TLS, browsers tell it by the Referer alone."""
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site == "same-origin"
    return request.headers.get(hdrs.REFERER, "").partition("://")[2].partition("/")[0] == request.host


def missing_image_response(status: int) -> web.Response:
    """The drawing. Its policy is that of images, so that any site may embed it."""
    headers = {
        "Content-Security-Policy": IMAGE_POLICY,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Robots-Tag": "noindex",
    }
    return web.Response(body=DRAWING, content_type="image/svg+xml", status=status, headers=headers)
