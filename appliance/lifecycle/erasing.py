"""Erasing: bytes of ended images leave caches, spool and store until each is confirmed; a tombstone stays a year."""

import asyncio

from appliance.cache import Caches
from appliance.catalogue import IdempotencyCatalogue, ImageCatalogue
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import StoreUnavailable
from appliance.domain.model import Ending, Image, Tombstone
from appliance.domain.slugs import object_key, sidecar_key, tombstone_key
from appliance.lifecycle.shipping import Shipper
from appliance.lifecycle.sidecars import Sidecars
from appliance.objectstore.observed import ObservedStore
from appliance.objectstore.records import tombstone_record
from appliance.observability.metrics import Metrics
from appliance.spool import Spool

BATCH = 200
AT_ONCE = 8
TOMBSTONE_S = 365 * DAY_S
IDEMPOTENCY_S = DAY_S
TOMBSTONES = "tombstones/"


class Eraser:
    """Erases what ended and is past its undo or grace, and forgets what was remembered long enough."""

    def __init__(
        self,
        *,
        catalogue: ImageCatalogue,
        idempotency: IdempotencyCatalogue,
        cache: Caches,
        spool: Spool,
        sidecars: Sidecars,
        store: ObservedStore,
        shipper: Shipper,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._idempotency = idempotency
        self._cache = cache
        self._spool = spool
        self._sidecars = sidecars
        self._store = store
        self._shipper = shipper
        self._left: set[str] = set()  # what an earlier run removed here already, while the store was away
        self._metrics = metrics
        self._clock = clock

    async def run(self) -> int:
        """Erase everything that may be erased now; says how many.

        Those that fail hold up no other; the first fault is raised at the end, and the next run takes them up again.
        """
        erased, skipped = 0, 0
        failure: BaseException | None = await self._away() if self._store.fault is not None else None
        is_store_away = failure is not None
        while images := await self._catalogue.erasable(int(self._clock()), BATCH, skipped=skipped):
            results = await self._batch(images, is_store_away=is_store_away)
            erased += results.count(True)
            skipped += len(images) - results.count(True)
            faults = [result for result in results if isinstance(result, BaseException)]
            failure = failure or next(iter(faults), None)
            if faults and not is_store_away:
                is_store_away = await self._away() is not None  # what follows leaves this disk only
        if failure is not None:
            raise failure
        return erased

    async def _away(self) -> StoreUnavailable | None:
        try:
            await self._store.check()
        except StoreUnavailable as fault:
            return fault
        return None

    async def _batch(self, images: list[Image], *, is_store_away: bool) -> list[bool | BaseException]:
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(image: Image) -> bool:
            async with at_once:
                return await self._erase(image, is_store_away=is_store_away)

        return await asyncio.gather(*(one(image) for image in images), return_exceptions=True)

    async def _erase(self, image: Image, *, is_store_away: bool) -> bool:
        """First what lies here, which needs nobody else; then the store's, unless a ship brings it more just now."""
        if self._shipper.is_shipping(image.slug) or not await self._left_this_disk(image) or is_store_away:
            return False
        if image.ended is Ending.DELETED and image.ended_s is not None:  # what is restored from a backup must know
            record = tombstone_record(Tombstone(image.slug, image.ended, image.ended_s))
            await self._store.put_bytes(tombstone_key(image.slug), record, media_type="application/json")
        await self._store.delete(object_key(image.slug))
        await self._store.delete(sidecar_key(image.slug))
        await self._sidecars.drop(image.slug)  # last: until then a rebuild must know that the image ended
        await self._catalogue.confirm_erased(image.slug)
        self._left.discard(image.slug)
        self._metrics.erased.inc()
        return True

    async def _left_this_disk(self, image: Image) -> bool:
        """False if the image was brought back meanwhile."""
        if image.slug in self._left:
            return True
        if not await self._catalogue.begin_erase(image.slug, int(self._clock())):
            return False
        await self._cache.evict(image.slug)
        await self._spool.remove(image.slug)
        self._left.add(image.slug)
        return True

    async def forget_in_store(self) -> int:
        """Delete the store's tombstones that are older than ours grow; says how many. Raises StoreUnavailable."""
        before_s = self._clock() - TOMBSTONE_S
        old = [entry.key async for entry in self._store.list(TOMBSTONES) if entry.modified_s < before_s]
        for key in old:
            await self._store.delete(key)
        return len(old)

    async def forget(self) -> int:
        """Forget tombstones after a year and Idempotency-Keys after a day; says how many."""
        now_s = int(self._clock())
        forgotten = 0
        while gone := await self._catalogue.forget_tombstones(now_s - TOMBSTONE_S):
            forgotten += gone
        while gone := await self._idempotency.forget(now_s - IDEMPOTENCY_S):
            forgotten += gone
        return forgotten
