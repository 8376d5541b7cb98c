"""Who is alive: the one place that tells a living image from one that is unknown, expired or deleted."""

from appliance.errors import GoneImage, UnknownImage
from appliance.model import Ending, Image, Tombstone


def living(found: Image | Tombstone | None, now_s: float) -> Image:
    """The image, if it is to be shown now. Raises UnknownImage, GoneImage."""
    if found is None:
        raise UnknownImage("No image has this link. Check it for typing errors; links are case-sensitive.")
    ended = found.ended
    if ended is Ending.DELETED:
        raise GoneImage("Its owner deleted this image.")
    if ended is Ending.UNFINISHED:
        raise GoneImage("This picture never arrived whole: its upload was given up or refused.")
    if isinstance(found, Tombstone) or ended is Ending.EXPIRED or found.expires_s <= now_s:
        raise GoneImage("This image was kept for the time its owner chose, and that time is over.")
    return found
