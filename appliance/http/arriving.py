"""Links of pictures that are still being uploaded: who asks for one is told to come back, or waits a little."""

from aiohttp import web

from appliance.errors import NotHereYet, UnknownImage
from appliance.http.keys import DELIVERY, RESUMABLE
from appliance.model import Image

WAIT_S = 8.0  # programs that make link previews give up soon after that
RETRY_AFTER_S = 2


async def resolved(request: web.Request) -> Image:
    """The living image of the path's slug. With `?wait`, one that is about to arrive is waited for.

    Raises UnknownImage, GoneImage, NotHereYet.
    """
    delivery, resumable, slug = request.app[DELIVERY], request.app[RESUMABLE], request.match_info["slug"]
    try:
        return await delivery.resolve(slug)
    except UnknownImage:
        if await resumable.arriving(slug) is None:
            return await delivery.resolve(slug)  # it may have arrived in between
    if "wait" in request.query:
        await resumable.finisher.until_ended(slug, WAIT_S)
        if await resumable.arriving(slug) is None:
            return await delivery.resolve(slug)
    raise NotHereYet("This picture is still being uploaded. Come back in a moment.", retry_after_s=RETRY_AFTER_S)
