"""Shipping: moving originals from the spool to the object store, at once, again and again until they are there.

Rows are the truth: what is queued in memory is only a hint, and `feed` finds what a crash or a full queue left.
"""

import asyncio
import contextlib
import logging
import random
import time

from appliance.catalogue import Catalogue
from appliance.domain.clients import HOST
from appliance.domain.clock import Clock
from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.domain.model import Image, Location
from appliance.domain.slugs import object_key
from appliance.lifecycle.client_queue import ClientQueue
from appliance.lifecycle.sidecars import Sidecars
from appliance.objectstore.observed import ObservedStore
from appliance.objectstore.records import ObjectRecord, record_of
from appliance.observability.metrics import Metrics
from appliance.shared.circuit_breaker import State
from appliance.shared.negative_cache import NegativeCache
from appliance.spool import Spool

LARGE_BYTES = 64_000_000  # a few giants never hold up the small ones
SMALL_SHIPPERS = 12
LARGE_SHIPPERS = 4  # how much they take together is the store's affair; more of them, so that no giant waits for one
QUEUE_LIMIT = 10_000  # beyond it the rows remember
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 10.0
LOST_REST_S, MAX_LOST = 6 * 3600.0, 1_000_000
FIRST_CONNECT_S = 2.0  # a start waits so long for the store, then goes on without it

log = logging.getLogger(__name__)


class Shipper:
    """Ships each original at least once."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        spool: Spool,
        sidecars: Sidecars,
        store: ObservedStore,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._sidecars = sidecars
        self._spool = spool
        self._store = store
        store.breaker.subscribe(self._on_store_change)
        self._metrics = metrics
        self._clock = clock
        self._small: ClientQueue[Image] = ClientQueue()
        self._large: ClientQueue[Image] = ClientQueue()
        self._pending: dict[str, asyncio.Future[bool]] = {}
        self._waiting: dict[str, Image] = {}
        self._records: dict[str, ObjectRecord] = {}  # of those that were committed a moment ago
        self._failures: dict[str, int] = {}
        self._resting: dict[str, tuple[asyncio.TimerHandle, Image]] = {}
        self._woken_s = -LAST_RETRY_S
        self._tasks: list[asyncio.Task[None]] = []
        self._probe: asyncio.Task[None] | None = None
        self._shipping: set[str] = set()
        self._reported_lost: set[str] = set()
        self._lost: NegativeCache[str] = NegativeCache(ttl_s=LOST_REST_S, clock=time.monotonic, max_keys=MAX_LOST)

    async def start(self) -> None:
        """Start the shippers; they begin with what an earlier run left. A store that hangs holds nobody up."""
        self._probe = asyncio.create_task(self._connect())
        if not (await asyncio.wait([self._probe], timeout=FIRST_CONNECT_S))[0]:
            self._store.mark_unavailable("It hasn't answered yet.")
        lanes = [self._small] * SMALL_SHIPPERS + [self._large] * LARGE_SHIPPERS
        self._tasks = [asyncio.create_task(self._serve(lane)) for lane in lanes]
        await self.feed()

    async def stop(self) -> None:
        """End at once; what is not shipped stays in the spool and ships after the next start."""
        for timer, _ in self._resting.values():
            timer.cancel()
        tasks = [*self._tasks, *([self._probe] if self._probe else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for future in self._pending.values():
            future.cancel()

    @property
    def store_fault(self) -> str | None:
        """What is wrong with the store, in words; None while it serves."""
        return self._store.fault

    def is_shipping(self, slug: str) -> bool:
        """Whether the original is on its way to the store at this moment."""
        return slug in self._shipping

    @property
    def store_up(self) -> bool:
        return self.store_fault is None

    @property
    def backlog(self) -> int:
        return len(self._pending)

    @property
    def lag_s(self) -> float:
        """Age in seconds of the oldest original that waits for the store; 0 when none does."""
        oldest_s = min((image.created_s for image in tuple(self._waiting.values())), default=None)
        return 0.0 if oldest_s is None else max(0.0, self._clock() - oldest_s)

    async def feed_and_connect(self) -> None:
        """The job: ask the store how it is, and find rows that wait unseen."""
        if not self._pending:
            self._store.clear_put_fault()
        await self._ask()
        await self.feed()

    async def feed(self) -> None:
        """Queue rows that are still in the spool, up to the queue's limit."""
        after = ""
        while len(self._pending) < QUEUE_LIMIT:
            images = await self._catalogue.unshipped(after)
            for image in images:
                if image.slug not in self._lost:
                    self._submit(image, HOST)
            if not images:
                return
            after = images[-1].slug

    async def ship_within(self, image: Image, record: ObjectRecord, budget_s: float, client: str) -> bool:
        """Ship, and wait for it at most `budget_s`; not at all for a giant, nor while the store is known to be away.

        Says whether the original is in the store. It will be in any case.
        """
        shipped = self._submit(image, client)
        if shipped is not None:
            self._records[image.slug] = record
        if record.needs_sidecar:
            await self._sidecars.keep(image)
        if shipped is None or not self.store_up or self._lane(image) is self._large:
            return False
        done, _ = await asyncio.wait([shipped], timeout=budget_s)
        if not done:
            self._doubt()
        return bool(done) and not shipped.cancelled() and shipped.result()

    def _doubt(self) -> None:
        """Ask a store that is slow how it is, so that the next uploads need not wait for one that hangs."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._connect())

    async def _ask(self) -> None:
        """Ask the store how it is, unless one who waits does so already."""
        if not self.store_up:
            await self._store.breaker.probe()
            return
        with contextlib.suppress(StoreUnavailable):  # it is noted
            await self._store.check()

    async def _connect(self) -> None:
        with contextlib.suppress(StoreUnavailable):  # it is noted
            await self._store.probe()

    def _submit(self, image: Image, client: str) -> asyncio.Future[bool] | None:
        known = self._pending.get(image.slug)
        if known is not None:
            return known
        if len(self._pending) >= QUEUE_LIMIT:
            return None
        self._pending[image.slug] = asyncio.get_running_loop().create_future()
        self._waiting[image.slug] = image
        self._lane(image).put_nowait((client, image))
        return self._pending[image.slug]

    def _lane(self, image: Image) -> ClientQueue[Image]:
        return self._large if image.bytes > LARGE_BYTES else self._small

    async def _serve(self, lane: ClientQueue[Image]) -> None:
        while True:
            _, image = await lane.get()
            try:
                async with self._store.breaker.permit(alone=lane is self._small):
                    shipped = await self._ship_seen(image)
            except StoreUnavailable:
                self._metrics.ship_failures.inc()
                self._retry(image)
            except LostOriginal:
                self._give_up(image)
            except Exception:
                log.exception("shipping failed", extra={"slug": image.slug})
                self._retry(image)
            else:
                self._settle(image, shipped=shipped)

    async def _ship_seen(self, image: Image) -> bool:
        self._shipping.add(image.slug)
        try:
            return await self._ship(image)
        finally:
            self._shipping.discard(image.slug)

    async def _ship(self, image: Image) -> bool:
        path = self._spool.landed_path(image.slug)
        if not path.exists():
            return await self._without_file(image)
        record = self._records.get(image.slug) or record_of(image)
        await self._store.put(object_key(image.slug), path, media_type=image.media_type, metadata=record.metadata)
        if not await self._catalogue.mark_shipped(image.slug):  # ended meanwhile
            return await self._without_row(image)
        await self._spool.release(image.slug)
        self._metrics.shipped.inc()
        self._metrics.ship_seconds.observe(max(0.0, self._clock() - image.created_s))
        return True

    async def _without_row(self, image: Image) -> bool:
        """Leave nothing behind, unless an earlier attempt brought it to the store: then that is its only safe copy."""
        row = await self._catalogue.get(image.slug)
        if isinstance(row, Image) and row.location is Location.STORE:
            await self._spool.release(image.slug)
            return True
        await self._store.delete(object_key(image.slug))
        return False

    async def _without_file(self, image: Image) -> bool:
        """The landed file is gone: shipped already by an earlier attempt, ended meanwhile, or lost."""
        row = await self._catalogue.get(image.slug)
        if not isinstance(row, Image) or (row.ended is not None and row.location is Location.SPOOL):
            await self._store.delete(object_key(image.slug))  # an earlier attempt may have failed to
            return False
        if row.ended is not None or row.location is Location.STORE:
            return False
        if await self._spool.bring_back(image.slug):
            return await self._ship(image)
        try:
            await self._store.stat(object_key(image.slug))
        except ObjectMissing:
            raise LostOriginal(image.slug) from None
        return await self._catalogue.mark_shipped(image.slug)

    def _settle(self, image: Image, *, shipped: bool) -> None:
        self._failures.pop(image.slug, None)
        self._waiting.pop(image.slug, None)
        self._records.pop(image.slug, None)
        self._tell(self._pending.pop(image.slug), shipped=shipped)

    def _give_up(self, image: Image) -> None:
        """For some hours: whoever brings the file back need not restart the server."""
        if image.slug not in self._reported_lost:
            log.error("an original is lost: it is in neither the spool nor the store", extra={"slug": image.slug})
            self._metrics.lost_originals.inc()
        self._reported_lost.add(image.slug)
        self._lost.add(image.slug)
        self._settle(image, shipped=False)

    @staticmethod
    def _tell(future: asyncio.Future[bool], *, shipped: bool) -> None:
        if not future.done():
            future.set_result(shipped)

    def _on_store_change(self, state: State) -> None:
        if state is State.CLOSED:
            self.retry_now()
        else:
            self._promise_nothing()

    def retry_now(self) -> None:
        """What was put off need not wait for its turn now; but a fault of one object must not have it tried all day."""
        if time.monotonic() - self._woken_s < LAST_RETRY_S:
            return
        self._woken_s = time.monotonic()
        for timer, image in self._resting.values():
            timer.cancel()
            self._lane(image).put_nowait((HOST, image))
        self._resting.clear()

    def _promise_nothing(self) -> None:
        """Nobody waits for it in vain."""
        for future in self._pending.values():
            self._tell(future, shipped=False)

    def _retry(self, image: Image) -> None:
        """Tell whoever waits that it will take longer, and come back to the image."""
        self._tell(self._pending[image.slug], shipped=False)
        failures = self._failures[image.slug] = self._failures.get(image.slug, 0) + 1
        backoff_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(failures, 10)) * random.uniform(0.7, 1.0)  # noqa: S311 - only to spread them

        def again() -> None:
            del self._resting[image.slug]
            self._lane(image).put_nowait((HOST, image))

        self._resting[image.slug] = asyncio.get_running_loop().call_later(backoff_s, again), image


class LostOriginal(Exception):
    """An acknowledged original is neither in the spool nor in the store."""
