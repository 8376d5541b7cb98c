"""Erasing: the bytes of ended images leave cache, spool and store until each is confirmed; a tombstone stays a year."""

import asyncio

from appliance.cache import Cache
from appliance.catalogue import Catalogue
from appliance.clock import Clock
from appliance.lifecycle.sidecars import Sidecars
from appliance.metrics import Metrics
from appliance.model import Image
from appliance.objectstore import ObjectStore
from appliance.slugs import object_key, sidecar_key
from appliance.spool import Spool
from appliance.wishes import DAY_S

BATCH = 200
AT_ONCE = 8
TOMBSTONE_S = 365 * DAY_S
IDEMPOTENCY_S = DAY_S


class Eraser:
    """Erases what ended and is past its undo or grace, and forgets what was remembered long enough."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        cache: Cache,
        spool: Spool,
        sidecars: Sidecars,
        store: ObjectStore,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._cache = cache
        self._spool = spool
        self._sidecars = sidecars
        self._store = store
        self._metrics = metrics
        self._clock = clock

    async def run(self) -> int:
        """Erase everything that may be erased now; says how many. Raises StoreUnavailable: the next run goes on."""
        erased = 0
        while images := await self._catalogue.erasable(int(self._clock()), BATCH):
            at_once = asyncio.Semaphore(AT_ONCE)

            async def one(image: Image, at_once: asyncio.Semaphore = at_once) -> bool:
                async with at_once:
                    return await self._erase(image)

            results = await asyncio.gather(*(one(image) for image in images), return_exceptions=True)
            erased += sum(result is True for result in results)
            for result in results:
                if isinstance(result, BaseException):
                    raise result
        return erased

    async def _erase(self, image: Image) -> bool:
        if not await self._catalogue.begin_erase(image.slug, int(self._clock())):  # brought back meanwhile
            return False
        await self._cache.evict(image.slug)
        await self._store.delete(object_key(image.slug))
        await self._store.delete(sidecar_key(image.slug))
        await self._spool.remove(image.slug)
        await self._sidecars.drop(image.slug)
        await self._catalogue.confirm_erased(image.slug)
        self._metrics.erased.inc()
        return True

    async def forget(self) -> int:
        """Forget tombstones after a year and Idempotency-Keys after a day; says how many."""
        now_s = int(self._clock())
        forgotten = 0
        while gone := await self._catalogue.forget_tombstones(now_s - TOMBSTONE_S):
            forgotten += gone
        while gone := await self._catalogue.forget_idempotency(now_s - IDEMPOTENCY_S):
            forgotten += gone
        return forgotten
