"""Tombstones in the store: what a rebuild, or a restored backup, must know about deletions.

Each deletion or restoration queues a row for its tombstone, which is written or removed before the request is answered.
If the store is unavailable or the server crashes, a job does it later.
"""

import asyncio
from dataclasses import replace
from functools import partial
from weakref import WeakValueDictionary

from appliance.catalogue import ImageCatalogue
from appliance.domain.errors import StoreUnavailable
from appliance.domain.model import Ending, Image, Tombstone
from appliance.domain.slugs import tombstone_key
from appliance.lifecycle.prompt_writes import PromptWrites
from appliance.objectstore.observed import ObservedStore
from appliance.objectstore.records import RECORD_TYPE, tombstone_record


class StoredTombstones:
    """Keeps the store's tombstones as the rows are. One of an image is written at a time, from its row at that time."""

    def __init__(self, *, catalogue: ImageCatalogue, store: ObservedStore, prompt_writes: PromptWrites) -> None:
        self._catalogue = catalogue
        self._store = store
        self._prompt_writes = prompt_writes
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def settle_now(self, slug: str) -> None:
        """Write the tombstone now, if the store answers in time. Otherwise a job writes it later."""
        await self._prompt_writes.attempt(partial(self._settle, slug))

    async def settle_due(self) -> int:
        """The job: tell the store what it doesn't know yet. Returns of how many images.

        One that fails holds up no other. Raises StoreUnavailable, at once when the store doesn't serve.
        """
        after, settled, failure = "", 0, None
        while slugs := await self._catalogue.tombstones_due(after):
            for slug in slugs:
                try:
                    await self._settle(slug)
                except StoreUnavailable as fault:
                    failure = fault
                    await self._store.check()
                else:
                    settled += 1
            after = slugs[-1]
        if failure is not None:
            raise failure
        return settled

    async def _settle(self, slug: str) -> None:
        """Write it as the row says, and again where it was no longer due.

        Then another node has written it too, perhaps from a newer row and before this one did.
        """
        async with self._lock(slug):
            row = await self._catalogue.get(slug)
            while not await self._write(slug, row):
                written, row = row, await self._catalogue.get(slug)
                if row == written:
                    return

    async def _write(self, slug: str, row: Image | Tombstone | None) -> bool:
        """Whether the tombstone was due until now, and isn't any more."""
        tombstone = tombstone_of(row) if isinstance(row, Image) else row
        if tombstone is not None:
            await self._put(tombstone)
        elif row is not None:
            await self._store.delete(tombstone_key(slug))
        return await self._catalogue.mark_tombstone_written(slug, row.version if isinstance(row, Image) else None)

    async def put_final(self, image: Image) -> None:
        """The tombstone of an image that is being erased: it can't be restored any more. Raises StoreUnavailable."""
        tombstone = tombstone_of(image)
        if tombstone is not None:
            async with self._lock(image.slug):
                await self._put(replace(tombstone, restorable_until_s=None))

    async def _put(self, tombstone: Tombstone) -> None:
        await self._store.put_bytes(tombstone_key(tombstone.slug), tombstone_record(tombstone), media_type=RECORD_TYPE)

    def _lock(self, slug: str) -> asyncio.Lock:
        return self._locks.setdefault(slug, asyncio.Lock())


def tombstone_of(image: Image) -> Tombstone | None:
    """What the store has to remember of the image: that it was deleted, and until when it can be restored.

    None for an image that lives or has expired. One that was taken down could never be restored.
    """
    if image.ended is not Ending.DELETED or image.ended_s is None:
        return None
    erase_after_s = image.erase_after_s or 0
    until_s = erase_after_s if erase_after_s > image.ended_s else None
    return Tombstone(image.slug, image.ended, image.ended_s, until_s, image.version)
