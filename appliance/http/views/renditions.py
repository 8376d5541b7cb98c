"""Renditions and originals as files, with validators, ranges, content negotiation and cache headers."""

from aiohttp import hdrs, web

from appliance.cache import Rendition
from appliance.delivery.service import Original
from appliance.domain.errors import StoreUnavailable, UnknownRendition
from appliance.domain.model import Image
from appliance.domain.renditions import Format, Target
from appliance.http.byte_ranges import requested_range
from appliance.http.client_address import client_of
from appliance.http.content_disposition import content_disposition, filename_with_extension
from appliance.http.etags import is_not_modified
from appliance.http.image_headers import image_headers
from appliance.http.image_lookup import resolve_image
from appliance.http.keys import CONFIG, DELIVERY
from appliance.http.links import extension
from appliance.http.negotiation import format_of, negotiate_format
from appliance.http.pages import link_previews
from appliance.http.transport.streamed_responses import download_permit
from appliance.shared.concurrency_limit import Permit


async def show_rendition(request: web.Request) -> web.Response:
    """GET /i/{slug}/{preset}.{extension}"""
    return await _show(request, request.match_info["extension"])


async def show_negotiated(request: web.Request) -> web.Response:
    """GET /i/{slug}/{preset}: the format by Accept; `private`, because CDNs ignore Vary"""
    return await _show(request, None)


async def show_preview(request: web.Request) -> web.Response:
    """GET /i/{slug}/preview.jpg: for link previews, in the largest size that is small enough for all of them"""
    image = await resolve_image(request)
    presets = link_previews.descending(image, request.app[CONFIG].renditions)
    if not presets or Format.JPG not in request.app[CONFIG].renditions.formats:
        raise UnknownRendition("JPEG is not available on this host.")
    for preset in presets:
        target = Target(preset, Format.JPG)
        rendition = await request.app[DELIVERY].rendition(image, target, client_of(request).id)
        if len(rendition.data) <= link_previews.MAX_BYTES:
            break
    headers = image_headers(request, image, f'"{rendition.checksum}"')
    if is_not_modified(request, headers[hdrs.ETAG]):
        return web.Response(status=304, headers=headers)
    headers[hdrs.CONTENT_DISPOSITION] = content_disposition(_name(image, target), attachment=False)
    return _whole(rendition, target, headers)


async def _show(request: web.Request, wanted: str | None) -> web.Response:
    delivery = request.app[DELIVERY]
    image = await resolve_image(request)
    target = _target(request, image, wanted)
    rendition = await delivery.rendition(image, target, client_of(request).id)
    headers = image_headers(request, image, f'"{rendition.checksum}"', private=wanted is None)
    if wanted is None:
        headers[hdrs.VARY] = "Accept"
    if is_not_modified(request, headers[hdrs.ETAG]):
        return web.Response(status=304, headers=headers)
    headers[hdrs.CONTENT_DISPOSITION] = content_disposition(_name(image, target), attachment=False)
    return _whole(rendition, target, headers)


def _target(request: web.Request, image: Image, wanted: str | None) -> Target:
    settings, name = request.app[CONFIG].renditions, request.match_info["preset"]
    preset = settings.preset(name)
    if preset is None:
        sizes = ", ".join(preset.name for preset in settings.presets)
        raise UnknownRendition(f"There is no size with this name. Available sizes: {sizes}, original.")
    if wanted is None:
        return Target(preset, negotiate_format(image, request.headers.get("Accept", ""), settings.formats))
    format_ = format_of(wanted)
    if format_ is None or format_ not in settings.formats:
        formats = ", ".join(settings.formats)
        raise UnknownRendition(f"Sizes are not available in this format. Available formats: {formats}.")
    return Target(preset, format_)


def _whole(rendition: Rendition, target: Target, headers: dict[str, str]) -> web.Response:
    return web.Response(body=rendition.data, content_type=target.format.media_type, headers=headers)


async def show_original(request: web.Request) -> web.StreamResponse:
    """GET /i/{slug}/original and /i/{slug}.{extension}, whole or one range"""
    delivery = request.app[DELIVERY]
    image = await resolve_image(request)
    wanted = request.match_info.get("extension")
    if wanted is not None and wanted not in (extension(image.media_type), "jpeg" * (image.media_type == "image/jpeg")):
        raise UnknownRendition(f"The original is a .{extension(image.media_type)} file.")
    headers = image_headers(request, image, f'"{image.sha256[:32]}"')
    if is_not_modified(request, headers[hdrs.ETAG]):
        return web.Response(status=304, headers=headers)
    headers[hdrs.CONTENT_DISPOSITION] = content_disposition(
        filename_with_extension(image.filename, image.media_type), attachment="download" in request.query
    )
    headers[hdrs.ACCEPT_RANGES] = "bytes"
    part = requested_range(request, image.bytes, headers[hdrs.ETAG])
    start, length = part or (0, image.bytes)
    if part is not None:
        headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{start + length - 1}/{image.bytes}"
    response = web.StreamResponse(status=206 if hdrs.CONTENT_RANGE in headers else 200, headers=headers)
    response.content_type, response.content_length = image.media_type, length
    if request.method == hdrs.METH_HEAD:
        await response.prepare(request)
        return response
    async with download_permit(request, response) as permit:
        original = await delivery.original(image, start, length)
        try:
            await response.prepare(request)
            await _pour(original, response, permit)
        finally:
            await original.close()
    await response.write_eof()
    return response


async def _pour(original: Original, response: web.StreamResponse, permit: Permit) -> None:
    left = original.length
    async for block in original.blocks():
        left -= len(block)
        await response.write(block)
        permit.moved(len(block))
    if left:
        raise StoreUnavailable(f"The store sent {left:,} bytes too few of the original.")


def _name(image: Image, target: Target) -> str:
    stem = image.filename.rpartition(".")[0] or image.filename
    return f"{stem}-{target.preset.name}.{target.format.value}"
