"""The progress of an upload, sent while it comes, to whoever has the link of what it is to become."""

from aiohttp import web

from appliance.domain.errors import Busy, GoneImage, UnknownImage
from appliance.domain.model import Image
from appliance.http.api.event_stream import EventStream
from appliance.http.api.image_resource import image_resource, problem_summary
from appliance.http.client_address import client_of
from appliance.http.image_lookup import find_image_or_progress
from appliance.http.keys import CONFIG, HEALTH, LISTENERS, RESUMABLE
from appliance.resumable import Progress

STEP_S = 0.5  # as often as slow bytes are written, so as often as there can be news


async def show_events(request: web.Request) -> web.StreamResponse:
    """GET /api/v1/images/{slug}/events: `progress` whenever there is some, then `done` or `gone`; the end"""
    found, stream = await find_image_or_progress(request), EventStream(request)
    try:
        async with request.app[LISTENERS].permit(client_of(request).key):
            return await _stream_events(request, stream, found)
    except Busy as fault:
        if not stream.is_started:
            raise
        raise ConnectionResetError("a listener whose place another one needs") from fault


async def _stream_events(request: web.Request, stream: EventStream, found: Image | Progress) -> web.StreamResponse:
    await stream.start()
    try:
        await _send_events(request, stream, found)
        return await stream.end()
    except TimeoutError as fault:
        raise ConnectionResetError("a listener that takes nothing") from fault


async def _send_events(request: web.Request, stream: EventStream, found: Image | Progress) -> None:
    try:
        image = found if isinstance(found, Image) else await _follow(request, stream, found)
    except (GoneImage, UnknownImage) as fault:
        await stream.send("gone", problem_summary(fault))
        return
    if image is not None:
        await stream.send("done", image_resource(image, request.app[CONFIG]))


async def _follow(request: web.Request, stream: EventStream, found: Image | Progress) -> Image | None:
    """The image at the end; None when the listener left, or the server stops. Raises GoneImage, UnknownImage."""
    finisher, health, sent = request.app[RESUMABLE].finisher, request.app[HEALTH], None
    while isinstance(found, Progress):
        if (news := (found.state, found.offset, found.upload.length)) != sent:
            await stream.send("progress", {"state": news[0], "offset": news[1], "length": news[2]})
            sent = news
        await stream.keep_alive()
        await finisher.until_ended(request.match_info["slug"], STEP_S)
        if health.stopping or not stream.is_open:
            return None
        found = await find_image_or_progress(request)
    return found
