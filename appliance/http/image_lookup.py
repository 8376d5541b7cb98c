"""Looking up the image of a request, which may still be being uploaded: its progress, a 404 to retry, or a wait."""

from aiohttp import web

from appliance.domain.errors import NotHereYet, UnknownImage
from appliance.domain.model import Image
from appliance.http.keys import DELIVERY, RESUMABLE
from appliance.resumable import Progress

WAIT_S = 8.0  # link previews give up soon after that
RETRY_AFTER_S = 2


async def find_image_or_progress(request: web.Request) -> Image | Progress:
    """The image of the path's slug, or the progress of its upload. Raises UnknownImage, GoneImage."""
    delivery, resumable, slug = request.app[DELIVERY], request.app[RESUMABLE], request.match_info["slug"]
    try:
        return await delivery.resolve(slug)
    except UnknownImage:
        progress = await resumable.pending(slug)
    return await delivery.resolve(slug) if progress is None else progress  # the upload may have finished meanwhile


async def resolve_image(request: web.Request) -> Image:
    """The image of the path's slug. With `?wait`, wait some seconds for an upload to finish.

    Raises UnknownImage, GoneImage, NotHereYet.
    """
    found = await find_image_or_progress(request)
    if isinstance(found, Progress) and "wait" in request.query:
        await request.app[RESUMABLE].finisher.until_ended(request.match_info["slug"], WAIT_S)
        found = await find_image_or_progress(request)
    if isinstance(found, Progress):
        raise NotHereYet(retry_after_s=RETRY_AFTER_S)
    return found
