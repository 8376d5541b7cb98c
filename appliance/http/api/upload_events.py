"""The progress of an upload as server-sent events, for everybody who has the link."""

from aiohttp import web

from appliance.domain.errors import Busy, GoneImage, UnknownImage
from appliance.domain.model import Image
from appliance.domain.this_node import BytesElsewhere
from appliance.http.api.image_resource import image_resource, problem_summary, sealed_resource
from appliance.http.client_address import client_of
from appliance.http.image_lookup import look_up
from appliance.http.keys import CONFIG, EVENT_STREAMS, HEALTH, PASS_ON, RESUMABLE
from appliance.http.transport.event_stream import EventStream, EventStreams
from appliance.resumable import Progress

POLL_INTERVAL_S = 0.5  # the offset of a slow upload is written as often


async def show_events(request: web.Request) -> web.StreamResponse:
    """GET /api/v1/images/{slug}/events: `progress` events, then `done` or `gone`"""
    streams = request.app[EVENT_STREAMS]
    try:
        found = await look_up(request)
    except BytesElsewhere as elsewhere:
        return await _pass_on(request, streams, elsewhere.node)
    stream = EventStream(request, streams)
    try:
        async with streams.limit.permit(client_of(request).id):
            return await _stream_events(request, stream, found)
    except Busy as fault:
        if not stream.is_started:
            raise
        raise ConnectionResetError("another client needs this listener's place") from fault


async def _pass_on(request: web.Request, streams: EventStreams, node: str) -> web.StreamResponse:
    """The events from the node with the upload. They count as listeners here, too."""
    client = client_of(request).id
    streams.limit.check(client)
    try:
        async with streams.limit.permit(client):
            return await request.app[PASS_ON](request, node, is_stream=True)
    except Busy as fault:
        raise ConnectionResetError("another client needs this listener's place") from fault


async def _stream_events(request: web.Request, stream: EventStream, found: Image | Progress) -> web.StreamResponse:
    await stream.start()
    try:
        await _send_events(request, stream, found)
        return await stream.end()
    except TimeoutError as fault:
        raise ConnectionResetError("the listener doesn't read") from fault


async def _send_events(request: web.Request, stream: EventStream, found: Image | Progress) -> None:
    try:
        image = found if isinstance(found, Image) else await _follow(request, stream, found)
    except (GoneImage, UnknownImage) as fault:
        await stream.send("gone", problem_summary(fault))
        return
    if image is not None:
        resource = sealed_resource if image.is_closed else image_resource
        await stream.send("done", resource(image, request.app[CONFIG]))


async def _follow(request: web.Request, stream: EventStream, found: Image | Progress) -> Image | None:
    """Send progress until the image is there; None if the listener leaves or the server stops.

    Raises GoneImage, UnknownImage.
    """
    finisher, health, sent = request.app[RESUMABLE].finisher, request.app[HEALTH], None
    while isinstance(found, Progress):
        progress = {"state": found.state, "offset": found.offset, "length": found.upload.length}
        if progress != sent:
            await stream.send("progress", progress)
            sent = progress
        await stream.keep_alive()
        await finisher.until_ended(request.match_info["slug"], POLL_INTERVAL_S)
        if health.stopping or not stream.is_open:
            return None
        found = await look_up(request)
    return found
