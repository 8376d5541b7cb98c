"""The rows of images, as their lifecycle sees them: how they end, and from where they have to be erased."""

from collections.abc import Sequence

from appliance.cache import Caches
from appliance.catalogue import IdempotencyCatalogue, ImageCatalogue
from appliance.domain.clock import DAY_S
from appliance.domain.model import Image, Location
from appliance.domain.slugs import object_key, sidecar_key
from appliance.lifecycle.expiry import EXPIRE_BATCH, expire_images
from appliance.lifecycle.service import TOMBSTONE_S
from appliance.lifecycle.shipping import Shipper
from appliance.lifecycle.sidecars import Sidecars
from appliance.lifecycle.tombstones import StoredTombstones
from appliance.objectstore import ObjectStore
from appliance.objectstore.records import sidecar_of
from appliance.observability.metrics import Metrics
from appliance.spool import Spool

ERASE_BATCH = 200
RECORDS_AT_ONCE = 100
IDEMPOTENCY_S = DAY_S


class ImageLifecycleRows:
    """Images lie in caches, spool and store. A tombstone stays for a year, in the store too where one was deleted.

    At most `expire_batch` of them end in one transaction, and `erase_batch` are looked up for erasing at a time.
    """

    def __init__(
        self,
        *,
        catalogue: ImageCatalogue,
        idempotency: IdempotencyCatalogue,
        cache: Caches,
        spool: Spool,
        sidecars: Sidecars,
        tombstones: StoredTombstones,
        store: ObjectStore,
        shipper: Shipper,
        metrics: Metrics,
        expire_batch: int = EXPIRE_BATCH,
        erase_batch: int = ERASE_BATCH,
    ) -> None:
        self._catalogue = catalogue
        self._idempotency = idempotency
        self._cache = cache
        self._spool = spool
        self._sidecars = sidecars
        self._tombstones = tombstones
        self._store = store
        self._shipper = shipper
        self._metrics = metrics
        self.expire_batch = expire_batch
        self.erase_batch = erase_batch
        self._erased_here: set[str] = set()  # by an earlier run, while the store was unavailable

    async def end_due(self, now_s: int) -> int:
        return await expire_images(self._catalogue, self._cache, self._metrics, now_s, batch=self.expire_batch)

    async def forget(self, now_s: int) -> int:
        """A batch of tombstones after a year, and of Idempotency-Keys after a day."""
        tombstones = await self._catalogue.forget_tombstones(now_s - TOMBSTONE_S)
        return tombstones + await self._idempotency.forget(now_s - IDEMPOTENCY_S)

    # --- erasing --------------------------------------------------------------------------------------------------

    async def erasable(self, now_s: int, *, skipped: int) -> Sequence[Image]:
        return await self._catalogue.erasable(now_s, self.erase_batch, skipped=skipped)

    async def erase_here(self, image: Image) -> bool:
        """Not while it is being shipped, which would bring bytes to the store after they were erased there."""
        if self._shipper.is_shipping(image.slug):
            return False
        if image.slug in self._erased_here:
            return True
        if not await self._catalogue.begin_erase(image.slug, image.erase_after_s or 0):
            return False
        await self._cache.evict(image.slug)
        await self._spool.remove(image.slug)
        self._erased_here.add(image.slug)
        return True

    async def erase_in_store(self, image: Image) -> bool:
        await self._tombstones.put_final(image)  # first: a restored backup must know of it
        await self._store.delete(object_key(image.slug))
        await self._store.delete(sidecar_key(image.slug))
        await self._sidecars.drop(image.slug)  # last: until then a rebuild must know that the image ended
        await self._catalogue.confirm_erased(image.slug)
        self._erased_here.discard(image.slug)
        self._metrics.erased.inc()
        return True

    # --- sidecars -------------------------------------------------------------------------------------------------

    async def records_due(self, after: str) -> Sequence[Image]:
        return await self._catalogue.sidecars_due(after, RECORDS_AT_ONCE)

    def record_key(self, slug: str) -> str:
        return sidecar_key(slug)

    def record(self, image: Image) -> bytes:
        return sidecar_of(image)

    async def confirm_record(self, image: Image) -> bool:
        if not await self._catalogue.mark_sidecar_written(image.slug, image.version):
            return False
        await self._sidecars.drop(image.slug, image.version)
        return True

    async def recorded(self, slug: str, written: Image | None) -> Image | None:
        """Nothing of an ended image: restoring it makes its record due again. Shipping puts that of a replaced one."""
        row = await self._catalogue.get(slug)
        if not isinstance(row, Image) or row.ended is not None:
            return None
        return row if row.location is Location.STORE else written
