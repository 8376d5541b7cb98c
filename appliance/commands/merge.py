"""Adds to a restored catalogue what the object store has learned since the backup: uploads, changes, deletions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from appliance.catalogue import SlugSpan
from appliance.catalogue.opening import CatalogueFile
from appliance.commands.recovery import WHOLE, Recovery, StoreScope
from appliance.domain.clock import DAY_S
from appliance.domain.model import Tombstone
from appliance.domain.slugs import minted_s
from appliance.objectstore import ObjectStore

BATCH = 1000
CLOCKS_APART_S = DAY_S  # the store's clock may differ from ours

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MergeResult:
    """How many rows were added, changed and removed; and a sentence for each object that describes no image."""

    uploaded: int
    changed: int
    deleted: int
    albums: int
    unreadable: list[str]


async def merge(
    store: ObjectStore, catalogue: CatalogueFile, since_s: float, spool_dir: Path, *, whole: bool = False
) -> MergeResult:
    """Bring the catalogue up to the store. Raises StoreUnavailable.

    Erased images come first, so that none ever has a row again; what is in the bin comes when all rows are there, since
    it can be restored. `spool_dir` is the restored spool: originals in it that were erased since are removed. `whole`
    lists the whole store; otherwise the rows decide which part of it can have something new.
    """
    async with catalogue.merge() as merging:
        scope = WHOLE if whole else scope_of(await merging.span(), since_s)
        recovery = Recovery(store, spool_dir, spool_dir / "sidecars", scope)
        deleted = await in_batches(_erased(recovery, spool_dir), merging.add_tombstones)
        uploaded = await in_batches(recovery.images(merging.known), merging.add_images)
        changed = await in_batches(recovery.changes(), merging.update_images)
        deleted += await merging.end_images(recovery.in_bin)
        albums = await in_batches(recovery.albums(), merging.upsert_albums)
        await merging.lock_for_good(recovery.lost_locks)  # unless a record has the lock
        if await in_batches(recovery.access_records(), merging.upsert_records) or uploaded or deleted:
            await merging.recount()
        await merging.forget_finished_uploads()
    return MergeResult(uploaded, changed, deleted, albums, recovery.unreadable)


def scope_of(rows: SlugSpan, since_s: float) -> StoreScope:
    """The part of the store that can have something that these rows lack.

    Slugs sort by time: a later upload has a later slug, or the slug of an upload that was unfinished. A later deletion
    or change belongs to an image that has a row, or to a later upload. The rows' own times count too, because a plain
    copy of a catalogue may have the time of its copying.
    """
    newest_s = minted_s(rows.newest) if rows.newest else 0.0
    later_s = min(since_s, newest_s) - CLOCKS_APART_S
    oldest_s = min([later_s, *(minted_s(slug) for slug in (rows.oldest, *rows.receiving) if slug)])
    return StoreScope(uploaded_since_s=later_s, slugs=rows.receiving, written_since_s=later_s, minted_since_s=oldest_s)


async def _erased(recovery: Recovery, spool_dir: Path) -> AsyncIterator[Tombstone]:
    async for tombstone in recovery.tombstones():
        for folder in ("landed", "orphans", "copies"):
            await asyncio.to_thread((spool_dir / folder / tombstone.slug).unlink, missing_ok=True)
        yield tombstone


async def in_batches(rows: AsyncIterator[T], keep: Callable[[Sequence[T]], Awaitable[int]]) -> int:
    total, batch = 0, []
    async for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            total, batch = total + await keep(batch), []
    return total + await keep(batch)
