"""Arguments and results of the catalogue's ports, other than rows."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

COUNT_LIMIT = 10_000
"""Counts of what waits stop here: nobody needs the exact length of a long queue, and counting it takes time."""
MAX_BATCH = 1000
"""The most images that one change takes, so that no other change waits long behind it."""


class Unchanged(Enum):
    """Leave the field as it is, where None would clear it."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many images wait for each job, counted up to `COUNT_LIMIT`."""

    unshipped: int
    unwarmed: int
    sidecars_due: int
    erasable: int


@dataclass(frozen=True, slots=True)
class RowCounts:
    """How many rows of each kind there are."""

    images: int
    tombstones: int
    albums: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """An image that was erased, and when, by the database's clock."""

    slug: str
    changed_s: int


@dataclass(frozen=True, slots=True)
class Revision:
    """An image whose original was replaced or is known better, and when, by the database's clock.

    `version` is the image's. With `renews`, viewers see something else since this or an earlier revision.
    """

    slug: str
    changed_s: int
    version: int
    renews: bool


@dataclass(frozen=True, slots=True)
class Purge:
    """A cache tag to purge.

    It is due at `due_s` (unix seconds) and purged in `rounds` rounds. `generation` grows each time the tag is enqueued,
    so that confirming an older purge does not remove a newer one.
    """

    tag: str
    due_s: int
    rounds: int
    generation: int


@dataclass(frozen=True, slots=True)
class PendingPurges:
    """How many purges are due, counted up to `COUNT_LIMIT`, and when the oldest became due (unix seconds)."""

    tags: int = 0
    oldest_due_s: int | None = None


@dataclass(frozen=True, slots=True)
class SlugSpan:
    """The oldest and the newest image's slug (None without images), and the slugs of unfinished uploads."""

    oldest: str | None
    newest: str | None
    receiving: tuple[str, ...]
