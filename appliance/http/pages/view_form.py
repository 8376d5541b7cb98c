"""The button that spends the one view of an image: its response is the image."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

from appliance.domain.errors import BeingViewed, Conflict, StoreUnavailable
from appliance.domain.formats import BY_MEDIA_TYPE
from appliance.domain.model import Image
from appliance.domain.renditions import Target
from appliance.http.client_address import client_of
from appliance.http.closed import locked, require_passphrase
from appliance.http.content_disposition import content_disposition, filename_with_extension
from appliance.http.forms import read_form, text_field
from appliance.http.image_headers import IMAGE_POLICY, NOINDEX
from appliance.http.keys import CLOSED, CONFIG, DELIVERY, ONE_VIEWS
from appliance.http.links import share_path
from appliance.http.pages.lock_forms import PASSPHRASE_REFUSED, locked_response
from appliance.http.pages.selection import wants_page
from appliance.http.transport.streamed_responses import download_permit
from appliance.lifecycle.one_view import VIEW_S

COOKIE = "view"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a viewer gets: the original, or a size where browsers can't show that."""

    media_type: str
    filename: str
    length: int
    blocks: AsyncIterator[bytes]


async def view(request: web.Request) -> web.StreamResponse:
    """POST /i/{slug}/view: field `passphrase` if there is one. The view is spent before the last byte leaves"""
    image = await request.app[DELIVERY].resolve(request.match_info["slug"])
    if not image.one_view:
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: share_path(image.slug)})
    request[CLOSED] = True
    form = await read_form(request)
    try:
        if image.lock is not None:
            if not (closed := locked(request, image)).has_passphrase:
                raise closed
            await require_passphrase(request, image, text_field(form, "passphrase"), text_field(form, "proof"))
        return await _show(request, image)
    except (*PASSPHRASE_REFUSED, BeingViewed, Conflict, StoreUnavailable) as fault:
        return locked_response(request, image, fault)


async def _show(request: web.Request, image: Image) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Security-Policy": IMAGE_POLICY, **NOINDEX})
    async with download_permit(request, response) as permit, _opened(request, image) as shown:
        ticket = await request.app[ONE_VIEWS].begin(image, request.cookies.get(COOKIE))
        response.set_cookie(
            COOKIE,
            ticket,
            max_age=VIEW_S,
            path=share_path(image.slug),
            httponly=True,
            samesite="Lax",
            secure=request.app[CONFIG].server.base_url.startswith("https://"),
        )
        response.headers[hdrs.CONTENT_DISPOSITION] = content_disposition(shown.filename, attachment=False)
        response.content_type, response.content_length = shown.media_type, shown.length
        writer = await response.prepare(request)
        assert writer is not None
        left = shown.length
        async for block in shown.blocks:
            left -= len(block)
            permit.moved(len(block))
            if left > 0:
                await response.write(block)
            else:
                await _finish(request, response, writer, block, ticket)
        if left:
            raise StoreUnavailable(f"The store sent {left:,} bytes too few of the original.")
    return response


async def _finish(
    request: web.Request, response: web.StreamResponse, writer: AbstractStreamWriter, block: bytes, ticket: str
) -> None:
    """Send the last block. The view is spent when the network has taken all but its last byte."""
    views = request.app[ONE_VIEWS]
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError("the viewer has left")
    request.transport.set_write_buffer_limits(high=0)  # so that draining waits until nothing is left
    await response.write(block[:-1])
    await writer.drain()
    spent = await views.spend(request.match_info["slug"], ticket)
    try:
        await response.write(block[-1:])
        await response.write_eof()
    except ConnectionError:
        if spent is not None:
            await views.take_back(spent)
        raise
    if spent is not None:
        await views.settle(spent)


def _opened(request: web.Request, image: Image) -> AbstractAsyncContextManager[Shown]:
    is_shown = wants_page(request) and image.original_only is None
    spec = BY_MEDIA_TYPE.get(image.media_type)
    if is_shown and not (spec is not None and spec.is_in_browsers) and request.app[CONFIG].renditions.presets:
        return _rendition(request, image)
    return _original(request, image)


@asynccontextmanager
async def _original(request: web.Request, image: Image) -> AsyncIterator[Shown]:
    original = await request.app[DELIVERY].original(image)
    try:
        filename = filename_with_extension(image.filename, image.media_type)
        yield Shown(image.media_type, filename, image.bytes, original.blocks())
    finally:
        await original.close()


@asynccontextmanager
async def _rendition(request: web.Request, image: Image) -> AsyncIterator[Shown]:
    preset = max(request.app[CONFIG].renditions.presets, key=lambda preset: preset.box_px)
    target = Target(preset, image.linked_format)
    rendition = await request.app[DELIVERY].rendition(image, target, client_of(request).id)
    stem = image.filename.rpartition(".")[0] or image.filename

    async def blocks() -> AsyncIterator[bytes]:
        yield rendition.data

    yield Shown(target.format.media_type, f"{stem}.{target.format.value}", len(rendition.data), blocks())
