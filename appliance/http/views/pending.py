"""Links of pictures that are still being uploaded: who asks for one is told how far it is, to come back, or waits."""

from aiohttp import web

from appliance.domain.errors import NotHereYet, UnknownImage
from appliance.domain.model import Image
from appliance.http.keys import DELIVERY, RESUMABLE
from appliance.resumable import Progress

WAIT_S = 8.0  # programs that make link previews give up soon after that
RETRY_AFTER_S = 2


async def image_or_progress(request: web.Request) -> Image | Progress:
    """The living image of the path's slug, or the upload that is to become it. Raises UnknownImage, GoneImage."""
    delivery, resumable, slug = request.app[DELIVERY], request.app[RESUMABLE], request.match_info["slug"]
    try:
        return await delivery.resolve(slug)
    except UnknownImage:
        progress = await resumable.pending(slug)
    return await delivery.resolve(slug) if progress is None else progress  # it may have arrived in between


async def resolved(request: web.Request) -> Image:
    """The living image of the path's slug. With `?wait`, one that is about to arrive is waited for.

    Raises UnknownImage, GoneImage, NotHereYet.
    """
    found = await image_or_progress(request)
    if isinstance(found, Progress) and "wait" in request.query:
        await request.app[RESUMABLE].finisher.until_ended(request.match_info["slug"], WAIT_S)
        found = await image_or_progress(request)
    if isinstance(found, Progress):
        raise NotHereYet(retry_after_s=RETRY_AFTER_S)
    return found
