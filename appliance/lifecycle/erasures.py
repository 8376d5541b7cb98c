"""Erasures by other nodes: what this node has of an image goes soon after the image was erased anywhere.

The node that erases asks those that are alive. This one may have been away, or have rendered something meanwhile.
"""

from appliance.cache import Caches
from appliance.catalogue import Catalogue
from appliance.lifecycle.sidecars import Sidecars
from appliance.spool import Spool

OVERLAP_S = 60
"""Looked at again: a change that is committed late has an earlier time."""
BATCH = 500


class ErasureFollower:
    """Follows what the catalogue says was erased. How far it came is in a note, so a node that was away catches up."""

    def __init__(self, node: str, *, catalogue: Catalogue, caches: Caches, spool: Spool, sidecars: Sidecars) -> None:
        self._note = f"nodes/erased-until/{node}"
        self._catalogue = catalogue
        self._caches = caches
        self._spool = spool
        self._sidecars = sidecars
        self._done: set[str] = set()

    async def run(self) -> int:
        """The job. Returns of how many images something may have been removed."""
        known = await self._catalogue.notes.get(self._note)
        if known is None:  # a new node has nothing yet
            await self._catalogue.notes.set(self._note, str(int(await self._catalogue.nodes.now())))
            return 0
        since_s, after, seen = int(known) - OVERLAP_S, "", set[str]()
        while erasures := await self._catalogue.images.erased(since_s, after, BATCH):
            for erasure in erasures:
                if erasure.slug not in self._done:
                    await self._remove(erasure.slug)
            seen |= {erasure.slug for erasure in erasures}
            since_s, after = erasures[-1].erased_s, erasures[-1].slug
        removed, self._done = len(seen - self._done), seen
        if since_s > int(known):
            await self._catalogue.notes.set(self._note, str(since_s))
        return removed

    async def _remove(self, slug: str) -> None:
        await self._caches.evict(slug)
        await self._spool.remove(slug)
        await self._sidecars.drop(slug)
