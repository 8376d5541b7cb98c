"""Shipping: originals move from the spool to the object store, at once, and are retried until they are there.

Rows are the truth: `enqueue_unshipped` finds what a crash or a full queue left.
"""

import asyncio
import contextlib
import logging
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from appliance.catalogue import ImageCatalogue
from appliance.domain.clients import HOST
from appliance.domain.clock import Clock
from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.domain.model import Image, Location
from appliance.domain.slugs import object_key
from appliance.domain.this_node import ThisNode
from appliance.lifecycle.landed_files import settle_landed
from appliance.lifecycle.original_objects import LOOK_EVERY_S, OriginalObjects
from appliance.lifecycle.ship_queue import Lane, ShipQueue
from appliance.lifecycle.sidecars import Sidecars
from appliance.objectstore.observed import ObservedStore
from appliance.objectstore.records import ObjectRecord, as_stored, record_of
from appliance.observability.metrics import Metrics
from appliance.shared.circuit_breaker import State
from appliance.shared.keyed_locks import KeyedLocks
from appliance.shared.negative_cache import NegativeCache
from appliance.spool import Spool

SMALL_SHIPPERS = 12
LARGE_SHIPPERS = 4  # so that no large file waits for another one; the store bounds what they use together
LOST_RETRY_S, MAX_LOST = 6 * 3600.0, 1_000_000
FIRST_CONNECT_S = 2.0  # how long a start waits for the store

log = logging.getLogger(__name__)


class LostOriginal(Exception):
    """An acknowledged original is neither in the spool nor in the store."""


class Shipper:
    """Ships each original at least once. `queue` has those that wait for `store`."""

    def __init__(
        self,
        *,
        catalogue: ImageCatalogue,
        spool: Spool,
        sidecars: Sidecars,
        store: ObservedStore,
        this_node: ThisNode,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._spool = spool
        self._sidecars = sidecars
        self.store = store
        self._this_node = this_node
        self._metrics = metrics
        self._clock = clock
        self.queue = ShipQueue()
        self._records: dict[str, ObjectRecord] = {}  # of images that were committed a moment ago
        self.objects = OriginalObjects(store)
        self._locks = KeyedLocks()
        self._lost: NegativeCache[str] = NegativeCache(ttl_s=LOST_RETRY_S, clock=time.monotonic, max_keys=MAX_LOST)
        self._reported_lost: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._connecting: asyncio.Task[None] | None = None
        store.breaker.subscribe(self._on_store_change)

    async def start(self) -> None:
        """Start the shippers; they begin with what an earlier run left. A store that hangs holds nobody up."""
        self._connecting = asyncio.create_task(self._connect())
        if not (await asyncio.wait([self._connecting], timeout=FIRST_CONNECT_S))[0]:
            self.store.mark_unavailable("It hasn't answered yet.")
        lanes = [self.queue.small] * SMALL_SHIPPERS + [self.queue.large] * LARGE_SHIPPERS
        self._tasks = [asyncio.create_task(self._serve(lane)) for lane in lanes]
        await self.enqueue_unshipped()

    async def stop(self) -> None:
        """Stop at once; what is not shipped stays in the spool and ships after the next start."""
        tasks = [*self._tasks, *([self._connecting] if self._connecting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.queue.close()

    # --- state ----------------------------------------------------------------------------------------------------

    @property
    def store_fault(self) -> str | None:
        """What is wrong with the store, in words; None while it serves."""
        return self.store.fault

    @property
    def store_up(self) -> bool:
        return self.store_fault is None

    @property
    def backlog(self) -> int:
        """How many originals wait for the store."""
        return len(self.queue)

    @property
    def lag_s(self) -> float:
        """Age of the oldest original that waits for the store, in seconds; 0 when none does."""
        oldest_s = self.queue.oldest_s
        return 0.0 if oldest_s is None else max(0.0, self._clock() - oldest_s)

    def is_shipping(self, slug: str) -> bool:
        """Whether the original is being sent, or replaced, at this moment."""
        return slug in self._locks

    def holding(self, slug: str) -> AbstractAsyncContextManager[None]:
        """Keep the original from being shipped during the block; one that is on its way arrives first."""
        return self._locks.holding(slug)

    def is_paused(self, slug: str) -> bool:
        """Whether the original waits for another attempt, after a failed one."""
        return self.queue.is_paused(slug)

    # --- enqueuing ------------------------------------------------------------------------------------------------

    async def check_and_enqueue(self) -> None:
        """The job: check the store, and queue rows that are not queued yet."""
        if not self.queue:
            self.store.clear_put_fault()
        await self._check_store()
        await self.enqueue_unshipped()

    async def enqueue_unshipped(self) -> None:
        """Queue the rows whose original is still in this node's spool, up to the queue's limit."""
        last: Image | None = None
        node = self._this_node.name
        while not self.queue.is_full and (images := await self._catalogue.unshipped(last, node=node)):
            for image in [one for one in images if one.slug not in self._lost]:
                self.queue.add(image, HOST)
            last = images[-1]

    async def ship_within(self, image: Image, record: ObjectRecord, budget_s: float, client: str) -> bool:
        """Ship, and wait for it at most `budget_s`; not for a large file, nor while the store is unavailable.

        Returns whether the original is in the store. It will be in any case.
        """
        shipped = await self.enqueue(image, record, client)
        if shipped is None or not self.store_up or self.queue.is_large(image):
            return False
        done, _ = await asyncio.wait([shipped], timeout=budget_s)
        if not done:
            self._suspect_store()
        return bool(done) and not shipped.cancelled() and shipped.result()

    async def enqueue(self, image: Image, record: ObjectRecord, client: str) -> "asyncio.Future[bool] | None":
        """Have the original shipped. The future says whether it was; None if the queue is full, until a later look."""
        if record.needs_sidecar:
            await self._sidecars.keep(image)
        shipped = self.queue.add(image, client)
        if shipped is not None:
            self._records[image.slug] = record
        return shipped

    async def until_stored(self, image: Image) -> None:
        """Wait until the store has the original, however long that takes, unless it is known to be away.

        Returns too once the image has ended. Raises StoreUnavailable if the original is lost, as its client has it.
        """
        while self.store_up:
            row = await self._catalogue.get(image.slug)
            if not isinstance(row, Image) or row.ended is not None or row.location is Location.STORE:
                return
            shipped = self.queue.add(row, HOST)
            if shipped is None or shipped.done():  # the queue is full, or an attempt has failed
                await asyncio.sleep(LOOK_EVERY_S)
            else:
                await asyncio.wait([shipped])
                if image.slug in self._lost and not (shipped.cancelled() or shipped.result()):
                    raise StoreUnavailable(retry_after_s=1)

    async def ship(self, image: Image) -> bool:
        """Ship, and wait until the original is in the store; False where that takes longer, because of a fault."""
        shipped = self.queue.add(image, HOST)
        if shipped is None or not self.store_up:
            return False
        await asyncio.wait([shipped])
        return not shipped.cancelled() and shipped.result()

    def retry_now(self) -> None:
        """End the pauses of originals that failed, if that was not done a moment ago."""
        self.queue.retry_now()

    # --- the store's health ---------------------------------------------------------------------------------------

    def _suspect_store(self) -> None:
        """Probe a store that is slow, so that the next uploads need not wait for one that hangs."""
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())

    async def _check_store(self) -> None:
        if not self.store_up:
            await self.store.breaker.probe()
            return
        with contextlib.suppress(StoreUnavailable):  # it is recorded
            await self.store.check()

    async def _connect(self) -> None:
        with contextlib.suppress(StoreUnavailable):  # it is recorded
            await self.store.probe()

    def _on_store_change(self, state: State) -> None:
        if state is State.CLOSED:
            self.queue.retry_now()
        else:
            self.queue.release_waiters()

    # --- shipping -------------------------------------------------------------------------------------------------

    async def _serve(self, lane: Lane) -> None:
        while True:
            _, image = await lane.get()
            try:
                async with self.store.breaker.permit(alone=lane is self.queue.small):
                    is_shipped = await self._ship(image)
            except StoreUnavailable:
                self._metrics.ship_failures.inc()
                self.queue.retry_later(image)
            except LostOriginal:
                self._give_up(image)
            except Exception:
                log.exception("shipping failed", extra={"slug": image.slug})
                self.queue.retry_later(image)
            else:
                self._settle(image, is_shipped=is_shipped)

    async def _ship(self, queued: Image) -> bool:
        path = self._spool.landed_path(queued.slug)
        if path.exists():
            async with self.holding(queued.slug):
                if path.exists():
                    return await self._ship_file(queued, path)
        return await self._settle_without_file(queued)

    async def _ship_file(self, queued: Image, path: Path) -> bool:
        row = await self._catalogue.get(queued.slug)
        if isinstance(row, Image) and await settle_landed(self._spool, self._this_node, row):
            return row.location is Location.STORE
        image = row if isinstance(row, Image) and row.ended is None else queued  # it may have been replaced meanwhile
        record = record_of(image) if image.version > 1 else self._records.get(image.slug) or record_of(image)
        if image.version > 1 or not self.objects.is_ahead(image.slug):
            await self.objects.put(image, path, record)
        if not await self._catalogue.mark_shipped(image.slug, image.sha256):  # it ended meanwhile, or was replaced
            return await self._settle_without_row(image)
        await self._spool.release(image.slug)
        if record.needs_sidecar and await self._catalogue.mark_sidecar_written(image.slug, image.version):
            await self._sidecars.drop(image.slug, image.version)
        self._metrics.shipped.inc()
        self._metrics.ship_seconds.observe(max(0.0, self._clock() - image.created_s))
        return True

    async def _settle_without_row(self, image: Image) -> bool:
        """Leave nothing behind, unless an earlier attempt put the object: then that is the only safe copy.

        The object of an image that lives is left alone, too: another node may just have replaced it by its own.
        """
        row = await self._catalogue.get(image.slug)
        if isinstance(row, Image) and await settle_landed(self._spool, self._this_node, row):
            return row.location is Location.STORE
        if not isinstance(row, Image) or row.ended is not None:
            await self.objects.delete(image)
        return False

    async def _settle_without_file(self, image: Image) -> bool:
        """The landed file is gone: an earlier attempt shipped it, the image ended, or the file is lost."""
        row = await self._catalogue.get(image.slug)
        if not isinstance(row, Image) or (row.ended is not None and row.location is Location.SPOOL):
            await self.objects.delete(image)  # an earlier attempt may have failed to
            return False
        if row.ended is not None or row.location is Location.STORE:
            return False
        if await self._spool.bring_back(image.slug):
            return await self._ship(image)
        try:
            info = await self.store.stat(object_key(image.slug))
        except ObjectMissing:
            raise LostOriginal(image.slug) from None
        if (stored := as_stored(row, info)) != row:  # the disk has lost what was to replace it
            await self._catalogue.revise(stored, is_replaced=True)
        return await self._catalogue.mark_shipped(image.slug, stored.sha256)

    def _settle(self, image: Image, *, is_shipped: bool) -> None:
        self._records.pop(image.slug, None)
        self.objects.forget_ahead(image.slug)
        self.queue.settle(image, is_shipped=is_shipped)

    def _give_up(self, image: Image) -> None:
        """Rest for some hours: a file that somebody puts back ships without a restart of the server."""
        if image.slug not in self._reported_lost:
            log.error("an original is lost: it is in neither the spool nor the store", extra={"slug": image.slug})
            self._metrics.lost_originals.inc()
        self._reported_lost.add(image.slug)
        self._lost.add(image.slug)
        self._settle(image, is_shipped=False)
