"""Sweeps: repair jobs that compare files with rows. Nothing that may be somebody's image is deleted at once."""

import logging
from collections.abc import AsyncIterator

from appliance.catalogue import ImageCatalogue
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import StoreUnavailable
from appliance.domain.model import Image
from appliance.domain.slugs import is_slug, object_key, sidecar_key
from appliance.domain.this_node import ThisNode
from appliance.lifecycle.landed_files import settle_landed
from appliance.lifecycle.service import TOMBSTONE_S
from appliance.objectstore import ObjectStore
from appliance.spool import Spool

SETTLING_S = 300.0  # a landed file is committed within moments; younger ones are left alone
STALLED_S = 3600.0
ORPHAN_KEPT_S = 7 * DAY_S
BATCH = 500
TOMBSTONES = "tombstones/"

log = logging.getLogger(__name__)


class Sweeps:
    """Repairs what a crash left between a file and its row. Objects are looked up by `batch` keys at a time."""

    def __init__(
        self,
        *,
        catalogue: ImageCatalogue,
        spool: Spool,
        store: ObjectStore,
        this_node: ThisNode,
        clock: Clock,
        batch: int = BATCH,
    ) -> None:
        self._clock = clock
        self._this_node = this_node
        self._catalogue = catalogue
        self._spool = spool
        self._store = store
        self.batch = batch

    async def spool(self, *, older_than_s: float = SETTLING_S) -> int:
        """Bring landed files in line with their rows. Returns how many were moved.

        A file that is in the store becomes a copy. One without a row is set aside for a week. An erased one goes, and
        one that was to replace an original, but never came into its row, or that another node has replaced.
        """
        moved = 0
        for slug in await self._spool.landed_slugs(older_than_s=older_than_s):
            row = await self._catalogue.get(slug)
            if row is None:
                log.warning("a received file has no row; keeping it for a week", extra={"slug": slug})
                await self._spool.quarantine(slug)
            elif isinstance(row, Image):
                if not await settle_landed(self._spool, self._this_node, row):
                    continue
            else:
                await self._spool.remove(slug)
            moved += 1
        await self._spool.drop_orphans(older_than_s=ORPHAN_KEPT_S)
        await self._spool.trim()
        return moved

    async def uploads(self) -> int:
        """Remove received bytes that no transfer owns any more. Returns how many files."""
        return await self._spool.drop_stalled(older_than_s=STALLED_S)

    async def orphans(self) -> int:
        """Count and log objects without a row; they are never deleted.

        Objects of an erased image are deleted: a put that ended late, or a crash after it, left them.
        Raises StoreUnavailable; an object that can't be deleted holds up no other.
        """
        unknown, failure = [], None
        for prefix in ("originals/", "meta/"):
            async for keys in self._batches(prefix):
                unknown += await self._unknown(keys)
                failure = await self._delete_erased(keys) or failure
        if unknown:
            log.warning("%d objects have no row, including %s", len(unknown), ", ".join(unknown[:5]))
        if failure is not None:
            raise failure
        return len(unknown)

    async def stored_tombstones(self) -> int:
        """Delete the store's tombstones once they are too old for the catalogue too. Returns how many.

        Raises StoreUnavailable.
        """
        before_s = self._clock() - TOMBSTONE_S
        old = [entry.key async for entry in self._store.list(TOMBSTONES) if entry.modified_s < before_s]
        for key in old:
            await self._store.delete(key)
        return len(old)

    async def _batches(self, prefix: str) -> AsyncIterator[dict[str, str]]:
        """Batches of keys, each with its slug."""
        batch: dict[str, str] = {}
        async for entry in self._store.list(prefix):
            batch[entry.key] = entry.key.rsplit("/", 1)[-1].removesuffix(".json")
            if len(batch) == self.batch:
                yield batch
                batch = {}
        yield batch

    async def _unknown(self, keys: dict[str, str]) -> list[str]:
        known = await self._catalogue.known(keys.values())
        return [key for key, slug in keys.items() if not is_slug(slug) or slug not in known]

    async def _delete_erased(self, keys: dict[str, str]) -> StoreUnavailable | None:
        """The last fault, where one couldn't be deleted."""
        failure = None
        erased = await self._catalogue.tombstoned(keys.values())
        for key, slug in keys.items():
            if slug in erased and key in (object_key(slug), sidecar_key(slug)):
                try:
                    await self._store.delete(key)
                except StoreUnavailable as fault:
                    failure = fault
                else:
                    log.info("deleted an object that arrived after its image was erased", extra={"slug": slug})
        return failure
