"""The port of albums."""

from collections.abc import Sequence
from typing import Protocol

from appliance.domain.model import Album, IdempotencyRecord, Image


class AlbumCatalogue(Protocol):
    """Albums, by slug."""

    async def add(self, album: Album, idempotency: IdempotencyRecord | None = None) -> None:
        """Add an album and, in the same moment, the record of its Idempotency-Key. Its sidecar is due then.

        Raises Conflict if the slug is in use, IdempotencyKeyInUse if the key has a record already.
        """

    async def get(self, slug: str) -> Album | None:
        """The album, ended and erased ones included, until it is forgotten."""

    async def images(self, slugs: Sequence[str]) -> list[Image]:
        """The rows of these images in the given order, ended ones included; erased and unknown ones are left out."""

    async def change(self, album: Album) -> None:
        """Compare and set: the row becomes `album` if it has the version before. Raises Conflict.

        Its sidecar is due then, unless the album is erased.
        """

    async def due(self, now_s: int, *, after_s: int = 0, limit: int = 200) -> list[Album]:
        """Living albums that may have ended by `now_s`, longest overdue first, due later than `after_s`."""

    async def erasable(self, now_s: int, limit: int = 200, *, skipped: int = 0) -> list[Album]:
        """Ended albums that may be erased at `now_s`; `skipped` passes over the first ones."""

    async def forget(self, before_s: int, limit: int = 1000) -> int:
        """Forget erased albums that ended before `before_s`. Returns how many."""

    async def sidecars_due(self, after: str = "", limit: int = 100) -> list[Album]:
        """Albums whose record in the store is older than their row."""

    async def mark_sidecar_written(self, slug: str, version: int) -> bool:
        """Record that the store has this version. False if the row has changed since: it stays due."""
