"""Sweeps: repair jobs that compare files with rows. Nothing that might be somebody's image is ever deleted at once."""

import logging

from appliance.catalogue import Catalogue
from appliance.model import Image, Location
from appliance.objectstore import ObjectStore
from appliance.slugs import is_slug
from appliance.spool import Spool
from appliance.wishes import DAY_S

SETTLING_S = 300.0  # a landed file is committed within moments; younger ones are left alone
STALLED_S = 3600.0
ORPHAN_KEPT_S = 7 * DAY_S
BATCH = 500

log = logging.getLogger(__name__)


class Sweeps:
    """Puts right what a crash left between a file and its row."""

    def __init__(self, *, catalogue: Catalogue, spool: Spool, store: ObjectStore) -> None:
        self._catalogue = catalogue
        self._spool = spool
        self._store = store

    async def spool(self, *, older_than_s: float = SETTLING_S) -> int:
        """Bring landed files in line with their rows; says how many were moved.

        In the store already: becomes a copy. Unknown to the catalogue: set aside for a week. Erased: removed.
        """
        moved = 0
        for slug in await self._spool.landed_slugs(older_than_s=older_than_s):
            row = await self._catalogue.get(slug)
            if row is None:
                log.warning("a landed file has no row; it is kept aside for a week", extra={"slug": slug})
                await self._spool.quarantine(slug)
            elif isinstance(row, Image):
                if row.location is not Location.STORE:
                    continue
                await self._spool.release(slug)
            else:
                await self._spool.remove(slug)
            moved += 1
        await self._spool.drop_orphans(older_than_s=ORPHAN_KEPT_S)
        await self._spool.trim()
        return moved

    async def uploads(self) -> int:
        """Remove received bytes that no transfer owns any more; says how many files."""
        return await self._spool.drop_stalled(older_than_s=STALLED_S)

    async def orphans(self) -> int:
        """Count and log objects in the store that no row knows. They are reported, never deleted."""
        unknown: list[str] = []
        batch: list[str] = []
        async for entry in self._store.list("originals/"):
            batch.append(entry.key.rsplit("/", 1)[-1])
            if len(batch) == BATCH:
                unknown += await self._unknown(batch)
                batch = []
        unknown += await self._unknown(batch)
        if unknown:
            log.warning("%d objects have no row, %s among them", len(unknown), ", ".join(unknown[:5]))
        return len(unknown)

    async def _unknown(self, slugs: list[str]) -> list[str]:
        known = await self._catalogue.known(slugs)
        return [slug for slug in slugs if not is_slug(slug) or slug not in known]
