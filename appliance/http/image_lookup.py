"""Looking up the image of a request, which may still be being uploaded: its progress, a 404 to retry, or a wait."""

from aiohttp import web

from appliance.domain.errors import NotHereYet, UnknownImage
from appliance.domain.model import Image
from appliance.http.closed import refuse_closed, require_open
from appliance.http.keys import CLOSED, DELIVERY, RESUMABLE
from appliance.resumable import Progress

WAIT_S = 8.0  # link previews give up soon after that
RETRY_AFTER_S = 2


async def find_image_or_progress(request: web.Request) -> Image | Progress:
    """The image of the path's slug, or the progress of its upload.

    Raises UnknownImage, GoneImage, and as `require_open` does.
    """
    found = await look_up(request)
    if isinstance(found, Image):
        await require_open(request, found)
    return found


async def find_image(request: web.Request, slug: str) -> Image:
    """The image with this slug. Raises UnknownImage, GoneImage, and as `require_open` does."""
    image = await request.app[DELIVERY].resolve(slug)
    await require_open(request, image)
    return image


async def look_up(request: web.Request) -> Image | Progress:
    """As `find_image_or_progress`, but also finds closed ones. Raises UnknownImage, GoneImage."""
    found = await _look_up(request)
    if found.is_closed if isinstance(found, Image) else found.upload.is_closed:
        request[CLOSED] = True
    return found


async def _look_up(request: web.Request) -> Image | Progress:
    delivery, resumable, slug = request.app[DELIVERY], request.app[RESUMABLE], request.match_info["slug"]
    try:
        return await delivery.resolve(slug)
    except UnknownImage:
        progress = await resumable.pending(slug)
    return await delivery.resolve(slug) if progress is None else progress  # the upload may have finished meanwhile


async def resolve_image(request: web.Request) -> Image:
    """The image of the path's slug. With `?wait`, wait some seconds for an upload to finish.

    Raises UnknownImage, GoneImage, NotHereYet, and as `require_open` does.
    """
    image = await resolve_even_closed(request)
    await require_open(request, image)
    return image


async def resolve_public_image(request: web.Request) -> Image:
    """As `resolve_image`, but raises Locked for a closed image even if its owner asks."""
    image = await resolve_even_closed(request)
    refuse_closed(request, image)
    return image


async def resolve_even_closed(request: web.Request) -> Image:
    """As `resolve_image`, but also finds closed images, for facts that may be shown."""
    found = await look_up(request)
    if isinstance(found, Progress) and "wait" in request.query:
        await request.app[RESUMABLE].finisher.until_ended(request.match_info["slug"], WAIT_S)
        found = await look_up(request)
    if isinstance(found, Progress):
        raise NotHereYet(retry_after_s=RETRY_AFTER_S)
    return found
