"""Who is alive: the one place that tells a living image from one that is unknown, expired or deleted."""

from appliance.domain.errors import GoneImage, UnknownImage
from appliance.domain.model import Ending, Image, Tombstone


def living(found: Image | Tombstone | None, now_s: float) -> Image:
    """The image, if it is to be shown now. Raises UnknownImage, GoneImage."""
    if found is None:
        raise UnknownImage()
    ended = found.ended
    if ended is Ending.DELETED:
        raise GoneImage("This image was deleted by its owner.")
    if ended is Ending.UNFINISHED:
        raise GoneImage("This image was never completely uploaded.")
    if isinstance(found, Tombstone) or ended is Ending.EXPIRED or found.expires_s <= now_s:
        raise GoneImage("This image has expired.")
    return found
