"""What other nodes did to images: each node drops what it has of an image soon after any node erased or revised it.

Nobody asks it to: it follows what the catalogue says. So it makes no difference whether it was away, or whether the
other node was killed right after its change.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from appliance.cache import Caches
from appliance.catalogue import Catalogue
from appliance.catalogue.values import Erasure, Revision
from appliance.domain.model import Image
from appliance.lifecycle.sidecars import Sidecars
from appliance.spool import Spool

OVERLAP_S = 60
"""Looked at again: a change that is committed late has an earlier time."""
BATCH = 500

Change = TypeVar("Change", bound=Erasure | Revision)


class Follower(ABC, Generic[Change]):
    """Follows one kind of change. How far it came is in `note`, so a node that was away catches up."""

    def __init__(self, note: str, catalogue: Catalogue) -> None:
        self._note = note
        self._catalogue = catalogue
        self._done: set[Change] = set()

    async def run(self) -> int:
        """The job. Returns for how many changes something may have been removed."""
        known_s = await self._known_s()
        since_s, after, removed = known_s - OVERLAP_S, "", 0
        while changes := await self._changes(since_s, after):
            new = [change for change in changes if change not in self._done]
            for change in new:
                await self._follow(change)
            since_s, after, removed = changes[-1].changed_s, changes[-1].slug, removed + len(new)
            self._done = {change for change in (*self._done, *new) if change.changed_s >= since_s - OVERLAP_S}
            if since_s > known_s:
                known_s = since_s
                await self._catalogue.notes.set(self._note, str(known_s))
        return removed

    async def _known_s(self) -> int:
        noted = await self._catalogue.notes.get(self._note)
        if noted is not None:
            return int(noted)
        beginning_s = await self._beginning_s()
        await self._catalogue.notes.set(self._note, str(beginning_s))
        return beginning_s

    @abstractmethod
    async def _beginning_s(self) -> int:
        """Where a node begins that has no note yet."""

    @abstractmethod
    async def _changes(self, since_s: int, after: str) -> Sequence[Change]:
        """The next changes after the slug `after` of that second, oldest first."""

    @abstractmethod
    async def _follow(self, change: Change) -> None:
        """Drop what the change has made wrong. Repeating it is fine."""


class ErasureFollower(Follower[Erasure]):
    """Removes whatever is here of images that were erased."""

    def __init__(self, node: str, *, catalogue: Catalogue, caches: Caches, spool: Spool, sidecars: Sidecars) -> None:
        super().__init__(f"nodes/erased-until/{node}", catalogue)
        self._caches = caches
        self._spool = spool
        self._sidecars = sidecars

    async def _beginning_s(self) -> int:
        return int(await self._catalogue.nodes.now())  # a new node has nothing yet

    async def _changes(self, since_s: int, after: str) -> Sequence[Erasure]:
        return await self._catalogue.images.erased(since_s, after, BATCH)

    async def _follow(self, change: Erasure) -> None:
        await self._caches.evict(change.slug)
        await self._spool.remove(change.slug)
        await self._sidecars.drop(change.slug)


class RevisionFollower(Follower[Revision]):
    """Removes what was made by the facts of before, and copies of originals that were replaced.

    A node without a note begins with the oldest revision: others may have been upgraded before it, and have revised
    images since.
    """

    def __init__(self, node: str, *, catalogue: Catalogue, caches: Caches, spool: Spool) -> None:
        super().__init__(f"nodes/revised-until/{node}", catalogue)
        self._caches = caches
        self._spool = spool

    async def _beginning_s(self) -> int:
        return 0

    async def _changes(self, since_s: int, after: str) -> Sequence[Revision]:
        return await self._catalogue.images.revised(since_s, after, BATCH)

    async def _follow(self, change: Revision) -> None:
        if change.renews:
            await self._caches.evict(change.slug)
        row = await self._catalogue.images.get(change.slug)
        if isinstance(row, Image):
            await self._spool.originals.drop_other_copy(change.slug, row.sha256)
