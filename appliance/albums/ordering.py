"""What people may wish for an album, and what becomes of the order of its images."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.catalogue import UNCHANGED, Unchanged
from appliance.domain.errors import InvalidField, TooManyImages
from appliance.domain.slugs import is_slug


@dataclass(frozen=True, slots=True)
class AlbumWishes:
    """What a new album is to hold. `expires_in_s` None: as long as its images."""

    images: tuple[str, ...]
    title: str | None = None
    expires_in_s: int | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class AlbumChanges:
    """What to change: first `remove`, then `add` behind the last, then `order`, which may name some of them only.

    `expires_s` is a unix second, None for as long as its images. `restore` brings back an album that ended.
    """

    title: str | Unchanged | None = UNCHANGED
    expires_s: int | Unchanged | None = UNCHANGED
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    restore: bool = False


def arranged(images: Sequence[str], changes: AlbumChanges) -> tuple[str, ...]:
    """The images in their new order: those that `order` names come first, the others keep theirs behind them.

    What is to be removed or put in order and is not there, or to be added and is there, is no mistake: somebody else
    was faster.
    """
    removed = set(changes.remove)
    kept = [slug for slug in images if slug not in removed]
    kept = list(dict.fromkeys([*kept, *changes.add]))
    there = set(kept)
    first = dict.fromkeys(slug for slug in changes.order if slug in there)
    return (*first, *(slug for slug in kept if slug not in first))


def checked_slugs(slugs: Sequence[str], max_images: int) -> tuple[str, ...]:
    """Each once. Raises TooManyImages, InvalidField for what can't be a slug."""
    once = tuple(dict.fromkeys(slugs))
    if len(once) > max_images:
        raise TooManyImages(
            f"An album can have up to {max_images:,} images, but these are {len(once):,}.",
            limit=max_images,
            actual=len(once),
        )
    if wrong := [slug for slug in once if not is_slug(slug)]:
        raise InvalidField(f"“{wrong[0][:40]}” is not an image link. Links end with 17 letters and digits.")
    return once
