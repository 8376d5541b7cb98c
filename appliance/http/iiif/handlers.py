"""The IIIF Image API 3.0, level 2: image information, and regions of an image at any smaller size."""

import json

from aiohttp import hdrs, web

from appliance.domain.model import Image
from appliance.domain.regions import TILE_PX, Cut, Quality, Region, level_sizes, scale_factors
from appliance.domain.renditions import Format, Target, shape
from appliance.http.client_address import client_of
from appliance.http.content_disposition import content_disposition
from appliance.http.etags import is_not_modified
from appliance.http.iiif.json_ld import JsonLd
from appliance.http.iiif.paths import REQUIRED_FORMATS, canonical_path, formats_of, parse_region_request
from appliance.http.image_headers import image_headers
from appliance.http.image_lookup import resolve_public_image
from appliance.http.keys import CONFIG, DELIVERY, TILES
from appliance.http.links import Links, iiif_path

CONTEXT = "http://iiif.io/api/image/3/context.json"
PROFILE_LINK = '<http://iiif.io/api/image/3/level2.json>;rel="profile"'


async def redirect(request: web.Request) -> web.Response:
    """GET /iiif/3/{slug}"""
    image = await resolve_public_image(request)
    headers = {hdrs.LOCATION: f"{iiif_path(image.slug)}/info.json", hdrs.CACHE_CONTROL: "no-cache"}
    return web.Response(status=303, headers=headers)


async def show_info(request: web.Request) -> web.Response:
    """GET /iiif/3/{slug}/info.json. The client is about to zoom, so a missing pyramid is rebuilt."""
    image = await resolve_public_image(request)
    request.app[TILES].ensure(image, client_of(request).id)
    body = json.dumps(_info(request, image), indent=1).encode()
    document = JsonLd.for_request(request, body, CONTEXT)
    headers = image_headers(request, image, document.etag, private=True)
    return document.response(request, headers | {hdrs.LINK: PROFILE_LINK})


async def show_region(request: web.Request) -> web.Response:
    """GET /iiif/3/{slug}/{region}/{size}/{rotation}/{quality}.{format}"""
    image, settings = await resolve_public_image(request), request.app[CONFIG].renditions
    asked = tuple(request.match_info[name] for name in ("region", "size", "rotation", "last"))
    region, size, rotation, last = asked
    cut = parse_region_request(image, (region, size, rotation, last), formats_of(settings.formats), settings.max_area)
    target = _as_target(request, image, cut)
    if target is None:
        rendition = await request.app[TILES].open(image, cut, client_of(request).id)
    else:
        rendition = await request.app[DELIVERY].rendition(image, target, client_of(request).id)
    headers = image_headers(request, image, f'"{rendition.checksum}"')
    address = Links.of(request.app[CONFIG]).iiif(image.slug)
    headers[hdrs.LINK] = f'{PROFILE_LINK}, <{address}/{canonical_path(image, cut, settings.max_area)}>;rel="canonical"'
    if is_not_modified(request, headers[hdrs.ETAG]):
        return web.Response(status=304, headers=headers)
    stem = image.filename.rpartition(".")[0] or image.filename
    part = "" if cut.region == _whole_region(image) else "-part"
    headers[hdrs.CONTENT_DISPOSITION] = content_disposition(f"{stem}{part}.{cut.format}", attachment=False)
    return web.Response(body=rendition.data, content_type=cut.format.media_type, headers=headers)


def _as_target(request: web.Request, image: Image, cut: Cut) -> Target | None:
    """The preset whose JPEG shows the same and is probably cached; None if there is none."""
    plain = not cut.mirrored and not cut.degrees and cut.quality is Quality.DEFAULT and cut.format is Format.JPG
    if not plain or cut.region != _whole_region(image) or image.linked_format is not Format.JPG:
        return None
    settings = request.app[CONFIG].renditions
    for preset in settings.presets:
        shown = shape(image.width, image.height, preset)
        if not shown.shows_all or Format.JPG not in settings.formats:
            continue
        if shown.size == (cut.width, cut.height) != (image.width, image.height):
            return Target(preset, Format.JPG)
    return None


def _whole_region(image: Image) -> Region:
    return Region(0, 0, image.width, image.height)


def _info(request: web.Request, image: Image) -> dict[str, object]:
    settings = request.app[CONFIG].renditions
    sizes = level_sizes(image.width, image.height, settings.max_area)
    formats = formats_of(settings.formats)
    by_preference = (Format.WEBP, Format.PNG) if image.has_alpha else (Format.JPG, Format.WEBP)
    return {
        "@context": CONTEXT,
        "id": Links.of(request.app[CONFIG]).iiif(image.slug),
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": image.width,
        "height": image.height,
        "maxArea": settings.max_area,
        "sizes": [{"width": width, "height": height} for width, height in sizes],
        "tiles": [{"width": TILE_PX, "height": TILE_PX, "scaleFactors": scale_factors(image.width, image.height)}],
        "preferredFormats": [each for each in by_preference if each in formats],
        "extraFormats": [each for each in formats if each not in REQUIRED_FORMATS],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": ["canonicalLinkHeader", "mirroring", "profileLinkHeader"],
    }
