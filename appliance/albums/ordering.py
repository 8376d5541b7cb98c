"""What people choose for an album, and how its images are ordered."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from appliance.catalogue import UNCHANGED, Unchanged
from appliance.domain.errors import InvalidField


@dataclass(frozen=True, slots=True)
class AlbumOptions:
    """What a new album holds. `expires_in_s` None: it lasts as long as its images. `cover` None: the first image."""

    images: tuple[str, ...]
    title: str | None = None
    description: str | None = None
    cover: str | None = None
    expires_in_s: int | None = None
    idempotency_key: str | None = None
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Move:
    """An image, and the one that it is put behind; None puts it first."""

    image: str
    after: str | None


@dataclass(frozen=True, slots=True)
class AlbumChanges:
    """What to change: first `remove`, then `add` at the end, then `order`, which may name only some of the images.

    Then images are moved, one after the other.

    `expires_s` is a unix second, None for as long as the images last. `restore` restores an album that ended.
    `passphrase` replaces the one of before; None removes it.
    """

    title: str | Unchanged | None = UNCHANGED
    description: str | Unchanged | None = UNCHANGED
    cover: str | Unchanged | None = UNCHANGED
    expires_s: int | Unchanged | None = UNCHANGED
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    restore: bool = False
    passphrase: str | Unchanged | None = field(default=UNCHANGED, repr=False)


def arranged(images: Sequence[str], changes: AlbumChanges) -> tuple[str, ...]:
    """The images in their new order: those that `order` names come first, the others keep theirs after them.

    Removing, ordering or moving an absent image, moving one behind an absent one, or adding a present one, is no
    mistake: somebody else may have been faster.
    """
    removed = set(changes.remove)
    kept = [slug for slug in images if slug not in removed]
    kept = list(dict.fromkeys([*kept, *changes.add]))
    there = set(kept)
    first = dict.fromkeys(slug for slug in changes.order if slug in there)
    ordered = [*first, *(slug for slug in kept if slug not in first)]
    for move in changes.moves:
        _move(ordered, move, there)
    return tuple(ordered)


def _move(images: list[str], move: Move, there: Set[str]) -> None:
    if move.image not in there or move.image == move.after or (move.after is not None and move.after not in there):
        return
    images.remove(move.image)
    images.insert(0 if move.after is None else images.index(move.after) + 1, move.image)


def moves_to(wanted: Sequence[str], moved: Set[str]) -> tuple[Move, ...]:
    """What puts the images that were `moved` where they are in `wanted`, whatever others do with the rest."""
    neighbours = zip((None, *wanted), wanted, strict=False)
    return tuple(Move(image, before) for before, image in neighbours if image in moved)


def checked_cover(cover: str | None, images: Sequence[str]) -> str | None:
    """The cover. Raises InvalidField unless it is None or one of `images`."""
    if cover is not None and cover not in images:
        raise InvalidField("The cover must be one of the album's images.")
    return cover
