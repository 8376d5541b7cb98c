"""Whether an image may be shown, or is unknown, expired or deleted: decided here for every layer."""

from appliance.domain.errors import GoneImage, UnknownImage
from appliance.domain.model import Ending, Image, Tombstone


def require_visible(row: Image | Tombstone | None, now_s: float) -> Image:
    """The image, if it may be shown now. Raises UnknownImage, GoneImage."""
    if row is None:
        raise UnknownImage()
    ended = row.ended
    if ended is Ending.DELETED and isinstance(row, Image) and row.viewing is not None:
        raise GoneImage("This image could be viewed once, and that is over.")
    if ended is Ending.DELETED:
        raise GoneImage("This image was deleted by its owner.")
    if ended is Ending.UNFINISHED:
        raise GoneImage("This image was never completely uploaded.")
    if isinstance(row, Tombstone) or ended is Ending.EXPIRED or row.expires_s <= now_s:
        raise GoneImage("This image has expired.")
    return row
