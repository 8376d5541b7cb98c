"""How an image has ended, and for how long it can be restored."""

from dataclasses import dataclass

from appliance.domain.model import Ending, Image
from appliance.lifecycle.expiry import GRACE_S

UNDO_S = 10


@dataclass(frozen=True, slots=True)
class End:
    """How an image ended, and until which unix second it can be restored.

    That is None when it can't be, or only undone for the seconds after a deletion without the bin. `is_viewed` says
    that it could be viewed once, and was.
    """

    ended: Ending | None
    restorable_until_s: int | None = None
    is_viewed: bool = False


@dataclass(frozen=True, slots=True)
class OwnedEnd:
    """Until which unix second an image can be restored, and since when it was viewed; None if it can't, or wasn't."""

    restorable_until_s: int | None
    viewed_s: int | None


def is_spent(image: Image) -> bool:
    """Whether its one view is over, and it was deleted for that: nobody can restore it."""
    is_undo = (image.erase_after_s or 0) - (image.ended_s or 0) <= UNDO_S
    return image.ended is Ending.DELETED and image.viewing is not None and is_undo


def restorable_until_s(image: Image, now_s: float) -> int | None:
    """Until which unix second an image that has ended can be restored; None if it can't, or has not ended."""
    if is_spent(image):
        return None
    until_s = image.erase_after_s if image.ended else image.expires_s + GRACE_S  # the expiry job runs within a minute
    has_ended = image.ended is not None or image.expires_s <= now_s
    begun_s = now_s if image.ended_s is None else max(now_s, image.ended_s)
    return until_s if has_ended and until_s is not None and until_s > begun_s else None


def without_undo(until_s: int | None, ended: Ending | None, ended_s: int | None) -> int | None:
    """`until_s`, unless it is only the undo time after a deletion without the bin."""
    is_undo = ended is Ending.DELETED and (until_s or 0) - (ended_s or 0) <= UNDO_S
    return None if is_undo else until_s
