"""What the object store knows and a restored catalogue does not: uploads, changes and deletions after the backup."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from appliance.catalogue import Merging, Span
from appliance.commands.recovery import EVERYTHING, Recovery, Selection
from appliance.domain.clock import DAY_S
from appliance.domain.model import Tombstone
from appliance.domain.slugs import minted_s
from appliance.objectstore import ObjectStore

BATCH = 1000
CLOCKS_APART_S = DAY_S  # the store's clock need not be ours

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Merged:
    """How many rows came, changed and went. `unreadable` is what describes no image, in words."""

    uploaded: int
    changed: int
    deleted: int
    albums: int
    unreadable: list[str]


async def merge(store: ObjectStore, catalogue: Path, since_s: float, spool_dir: Path, *, whole: bool = False) -> Merged:
    """Deletions come first, so that nothing that was deleted is ever a living row. Raises StoreUnavailable.

    `spool_dir` is the restored spool: an original in it that was deleted since goes. `whole` lists all of the store,
    where otherwise the rows say which part of it can hold what they do not know.
    """
    async with Merging(catalogue) as merging:
        part = EVERYTHING if whole else unknown_to(await merging.span(), since_s)
        recovery = Recovery(store, spool_dir, spool_dir / "sidecars", part)
        deleted = await in_batches(_buried(recovery, spool_dir), merging.bury)
        uploaded = await in_batches(recovery.images(merging.known), merging.add)
        changed = await in_batches(recovery.changes(), merging.update)
        albums = await in_batches(recovery.albums(), merging.keep_albums)
        await merging.settle_uploads()
    return Merged(uploaded, changed, deleted, albums, recovery.unreadable)


def unknown_to(rows: Span, since_s: float) -> Selection:
    """Slugs sort by time: an upload of later has a slug of later, or one that was coming in already.

    A deletion or change is of an image that has a row, or of an upload of later. The rows' own times count where a
    backup is a bare file, whose time may be that of its copying.
    """
    newest_s = minted_s(rows.newest) if rows.newest else 0.0
    later_s = min(since_s, newest_s) - CLOCKS_APART_S
    alive_s = min([later_s, *(minted_s(slug) for slug in (rows.oldest, *rows.receiving) if slug)])
    return Selection(uploaded_s=later_s, slugs=rows.receiving, written_s=later_s, alive_s=alive_s)


async def _buried(recovery: Recovery, spool_dir: Path) -> AsyncIterator[Tombstone]:
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
