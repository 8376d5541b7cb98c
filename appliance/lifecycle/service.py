"""The lifecycle that images and albums share: they end when due, are erased, forgotten, and recorded in the store.

Rows drive every step, so that a crash loses none: each run takes up what the last one left. What differs between images
and albums is in an adapter for each, a `LifecycleRows`.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from appliance.domain.clock import DAY_S
from appliance.domain.errors import ApplianceError, StoreUnavailable
from appliance.domain.model import Album, Image
from appliance.lifecycle.clock_guard import ClockGuard
from appliance.objectstore.observed import ObservedStore
from appliance.objectstore.records import RECORD_TYPE

AT_ONCE = 8
TOMBSTONE_S = 365 * DAY_S  # how long it is remembered that something was erased

T = TypeVar("T", bound=Image | Album)
log = logging.getLogger(__name__)


class LifecycleRows(Protocol[T]):
    """The rows of one kind, and what ends with each. Times are unix seconds.

    Besides what is named, every method may raise the catalogue's faults: DiskFull, CatalogueUnavailable,
    CatalogueDamaged.
    """

    async def end_due(self, now_s: int) -> int:
        """End everything that is due, by compare-and-set: an extension that comes meanwhile wins. Returns how many."""

    async def erasable(self, now_s: int, *, skipped: int) -> Sequence[T]:
        """A batch of what has ended and can't be restored any more, in a stable order, after the first `skipped`."""

    async def erase_here(self, item: T) -> bool:
        """Remove what this machine has of it, which needs no store. False where it must not be erased now."""

    async def erase_in_store(self, item: T) -> bool:
        """Remove what the store has of it, and confirm that in its row. False where it was restored meanwhile.

        Called after `erase_here`. Raises StoreUnavailable.
        """

    async def forget(self, now_s: int) -> int:
        """Forget a batch of what was erased long ago. Returns how many; 0 when none is left."""

    async def records_due(self, after: str) -> Sequence[T]:
        """A batch of those whose record in the store is older than their row, in the order of slugs after `after`."""

    def record_key(self, slug: str) -> str:
        """The key of its record in the store."""

    def record(self, item: T) -> bytes:
        """The record: everything that a rebuild of the catalogue needs."""

    async def confirm_record(self, item: T) -> bool:
        """The store has the record of this version. False where the row changed or ended meanwhile."""

    async def recorded(self, slug: str, written: T | None) -> T | None:
        """What its record in the store has to say now, in which `written` was put; None: there must be none.

        That is `written` itself where the record comes later, with bytes that the store doesn't have yet.
        """


class Lifecycle(Generic[T]):
    """Runs the steps for one kind. Each returns how many items it settled."""

    def __init__(self, rows: LifecycleRows[T], *, store: ObservedStore, guard: ClockGuard) -> None:
        self._rows = rows
        self._store = store
        self._guard = guard
        self._syncing = asyncio.Lock()

    async def end(self, *, clock_confirmed: bool = False) -> int:
        """End what is due. Raises ClockJumped, and then nothing was ended."""
        return await self._rows.end_due(await self._guard.trusted_now_s(is_confirmed=clock_confirmed))

    async def forget(self) -> int:
        """Forget what was remembered long enough."""
        forgotten = 0
        while gone := await self._rows.forget(self._due_s()):
            forgotten += gone
        return forgotten

    def _due_s(self) -> int:
        """The time by which something is due that can't be undone."""
        return int(self._guard.cautious_now_s())

    # --- erasing --------------------------------------------------------------------------------------------------

    async def erase(self) -> int:
        """Erase everything that may be erased now. While the store is unavailable, what lies here goes at least.

        One that fails holds up no other: the first fault is raised at the end, and the next run tries again.
        """
        erased, skipped = 0, 0
        has_store, failure = await self._serves(), None
        while items := await self._rows.erasable(self._due_s(), skipped=skipped):
            results = await self._erase_batch(items, has_store=has_store)
            erased += results.count(True)
            skipped += len(items) - results.count(True)
            faults = [result for result in results if isinstance(result, BaseException)]
            failure = failure or next(iter(faults), None)
            if faults and has_store:
                has_store = await self._serves()
        if failure is None and not has_store:
            failure = StoreUnavailable(self._store.fault or "The store doesn't answer.")
        if failure is not None:
            raise failure
        return erased

    async def _serves(self) -> bool:
        """Whether the store serves. It is asked only after a fault: one object's fault doesn't make it unavailable."""
        return self._store.fault is None or await self._store.answers()

    async def _erase_batch(self, items: Sequence[T], *, has_store: bool) -> list[bool | BaseException]:
        at_once = asyncio.Semaphore(AT_ONCE)

        async def erase_one(item: T) -> bool:
            async with at_once:
                return await self._rows.erase_here(item) and has_store and await self._rows.erase_in_store(item)

        return await asyncio.gather(*(erase_one(item) for item in items), return_exceptions=True)

    # --- records in the store -------------------------------------------------------------------------------------

    async def sync_records(self) -> int:
        """Put the record of each row that has changed since the store's was written.

        One that fails holds up no other. Raises StoreUnavailable, at once when the store doesn't serve.
        """
        async with self._syncing:  # of two runs, one could put an older record after the other's newer one
            return await self._sync_records()

    async def _sync_records(self) -> int:
        after, written, failure = "", 0, None
        while items := await self._rows.records_due(after):
            for item in items:
                try:
                    written += await self._sync_record(item)
                except StoreUnavailable as fault:
                    failure = fault
                    await self._store.check()
                except ApplianceError:
                    raise
                except Exception:
                    log.exception("failed to write a record", extra={"slug": item.slug})
            after = items[-1].slug
        if failure is not None:
            raise failure
        return written

    async def _sync_record(self, item: T) -> bool:
        """Put the record, and again until the row is what was put: another node may have put a newer one before.

        It may also have been erased before the record was put.
        """
        written: T | None = None
        row: T | None = item
        while row != written:
            await self._write_record(item.slug, row)
            if row is not None and await self._rows.confirm_record(row):
                return True
            written, row = row, await self._rows.recorded(item.slug, row)
        return False

    async def _write_record(self, slug: str, row: T | None) -> None:
        key = self._rows.record_key(slug)
        if row is None:
            await self._store.delete(key)
        else:
            await self._store.put_bytes(key, self._rows.record(row), media_type=RECORD_TYPE)
