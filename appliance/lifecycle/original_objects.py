"""The objects of an image in the store: its original, and its sidecar where the original can't carry all of the row."""

import asyncio
import contextlib
from pathlib import Path

from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.domain.model import Image
from appliance.domain.slugs import object_key, sidecar_key
from appliance.lifecycle.ship_queue import LARGE_BYTES
from appliance.objectstore.observed import ObservedStore
from appliance.objectstore.records import RECORD_TYPE, ObjectRecord, record_of, sidecar_of

LOOK_EVERY_S = 0.1
"""How often a wait for a slow store looks whether that is away."""


class OriginalObjects:
    """Puts and deletes them. It remembers which were put ahead of their row."""

    def __init__(self, store: ObservedStore) -> None:
        self._store = store
        self._ahead: set[str] = set()
        self._rowless: dict[str, Image] = {}
        """What an attempt to put ahead may have left in the store, while its image has no row."""

    async def put(self, image: Image, path: Path, record: ObjectRecord) -> None:
        """Raises StoreUnavailable.

        A new image's sidecar comes first, because it is cheap to repeat when the original's put fails.
        That of a changed image comes last: it must never describe bytes that the store doesn't have yet.
        """
        is_new = image.version == 1
        if record.needs_sidecar and is_new:
            await self._put_sidecar(image)
        await self._store.put(object_key(image.slug), path, media_type=image.media_type, metadata=record.metadata)
        if record.needs_sidecar and not is_new:
            await self._put_sidecar(image)

    async def put_ahead(self, image: Image, path: Path, record: ObjectRecord, budget_s: float) -> None:
        """Have the store get a landed original before there is a row for it, unless the store is known to be away.

        From the row on, its client won't send it again, though this node's disk may be lost. A store that takes longer
        than the budget is probed, so that one that hangs is known to be away. A large file isn't put ahead: its
        segments stay in the store until it is shipped.

        Raises StoreUnavailable where the store doesn't have it, and isn't known to be away.
        """
        self.forget_ahead(image.slug)
        if self._store.fault is not None or image.bytes > LARGE_BYTES:
            return
        self._rowless[image.slug] = image
        putting = asyncio.create_task(self._put_permitted(image, path, record))
        try:
            await asyncio.wait([putting], timeout=budget_s)
            if not putting.done():
                await self._until_put_or_away(putting)
            if putting.done() and putting.result():
                self._ahead.add(image.slug)
            elif self._store.fault is None:  # another put has shown meanwhile that the store works
                raise StoreUnavailable(retry_after_s=1)
        finally:
            putting.cancel()
            await asyncio.wait([putting])

    async def _put_permitted(self, image: Image, path: Path, record: ObjectRecord) -> bool:
        """Whether the store has it now."""
        with contextlib.suppress(StoreUnavailable):
            async with self._store.breaker.permit(alone=True):
                await self.put(image, path, record)
            return True
        return False

    async def _until_put_or_away(self, putting: "asyncio.Task[bool]") -> None:
        probing = asyncio.create_task(self._store.breaker.probe())
        try:
            while not putting.done() and self._store.fault is None:
                await asyncio.wait([putting], timeout=LOOK_EVERY_S)
        finally:
            probing.cancel()
            await asyncio.wait([probing])

    async def has(self, image: Image) -> bool:
        """Whether the store has the row's bytes, and not those of before a cleaning. Raises StoreUnavailable."""
        try:
            stored = await self._store.stat(object_key(image.slug))
        except ObjectMissing:
            return False
        return (stored.bytes, stored.metadata.get("sha256")) == (image.bytes, image.sha256)

    def is_ahead(self, slug: str) -> bool:
        """Whether the original's landed file was put ahead."""
        return slug in self._ahead

    def forget_ahead(self, slug: str) -> None:
        """The original is not ahead any more: it was shipped, or its landed file was taken back."""
        self._ahead.discard(slug)

    def is_rowless(self, slug: str) -> bool:
        """Whether the store may have an original that was put ahead, and has no row so far."""
        return slug in self._rowless

    def keep(self, slug: str) -> None:
        """The original has a row now, or it is another node's."""
        self._rowless.pop(slug, None)

    async def withdraw(self, slug: str) -> None:
        """Remove an original that was put ahead and gets no row. Raises StoreUnavailable."""
        if (image := self._rowless.pop(slug, None)) is not None:
            await self.delete(image)

    async def delete(self, image: Image) -> None:
        """Remove what an attempt may have put. Raises StoreUnavailable."""
        await self._store.delete(object_key(image.slug))
        if record_of(image).needs_sidecar:
            await self._store.delete(sidecar_key(image.slug))

    async def _put_sidecar(self, image: Image) -> None:
        await self._store.put_bytes(sidecar_key(image.slug), sidecar_of(image), media_type=RECORD_TYPE)
