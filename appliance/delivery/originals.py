"""Originals as local files: from the spool when they are there, else fetched into its copies.

They are fetched from the store or, as long as that doesn't have them, from the node that does.
"""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO

from appliance.catalogue import ImageCatalogue
from appliance.domain.clients import Clients
from appliance.domain.errors import (
    Busy,
    DiskFull,
    GoneImage,
    NodeUnavailable,
    ObjectMissing,
    StoreUnavailable,
    UnknownImage,
)
from appliance.domain.model import Image, Location
from appliance.domain.renditions import Priority
from appliance.domain.slugs import object_key
from appliance.domain.this_node import ThisNode
from appliance.domain.visibility import require_visible
from appliance.nodes.originals import NeighbourOriginals
from appliance.nodes.reading import NodeReader
from appliance.objectstore import ObjectReader, ObjectStore
from appliance.observability.metrics import Metrics
from appliance.shared.single_flight import Flight, SingleFlight
from appliance.spool import Spool
from appliance.workers.lease import Lease
from appliance.workers.work_queue import WorkQueue

RETRY_AFTER_S = 10
LARGE_BYTES = 64_000_000
SMALL_FETCHES, LARGE_FETCHES = 8, 4
"""Fetches at once: fewer than the store has threads. Large originals have their own, so that small ones don't wait."""
MAX_WAITING = 4096
WHAT = "fetches from the store"
TOUCH_AGAIN_S = 60.0  # a copy that is used more often is among the last to be evicted anyway
MAX_FETCHES = 3  # a copy may be evicted before it is opened, when many are fetched at once


class Originals:
    """Opens the originals of images, wherever they are."""

    def __init__(
        self,
        *,
        spool: Spool,
        store: ObjectStore,
        catalogue: ImageCatalogue,
        neighbours: NeighbourOriginals | None,
        this_node: ThisNode,
        metrics: Metrics,
    ) -> None:
        self._spool = spool
        self._files = spool.originals
        self._store = store
        self._neighbours = neighbours
        self._this_node = this_node
        self._catalogue = catalogue
        self._metrics = metrics
        self._fetches: SingleFlight[str, None] = SingleFlight()
        self._small = WorkQueue(list(range(SMALL_FETCHES)), MAX_WAITING, what=WHAT)
        self._large = WorkQueue(list(range(LARGE_FETCHES)), MAX_WAITING, what=WHAT)
        self._replacing: dict[str, asyncio.Event] = {}

    @property
    def waiting(self) -> int:
        """How many fetches wait for their turn."""
        return self._small.waiting + self._large.waiting

    async def file(self, image: Image, clients: Clients) -> BinaryIO:
        """The original as an open local file; close it. Raises StoreUnavailable, NodeUnavailable, Busy, GoneImage.

        It is the row's, or a newer one if that was replaced since the row was read.
        """
        await self._settled(image.slug)
        found = await self._files.open(image.slug, image.sha256)
        for _ in range(MAX_FETCHES):
            if found is not None:
                break
            image = require_visible(await self._catalogue.get(image.slug), now_s=0)
            found = await self._fetched(image, clients)
        if found is None:
            raise StoreUnavailable("The original can't be read at the moment. Try again.", retry_after_s=RETRY_AFTER_S)
        try:
            if time.time() - os.fstat(found.fileno()).st_mtime > TOUCH_AGAIN_S:
                await self._spool.touch(image.slug)
            await self._spool.keep_budget()  # once it is open: a copy larger than the budget is removed
        except BaseException:
            found.close()
            raise
        return found

    async def local(self, image: Image) -> BinaryIO | None:
        """The row's original as an open local file; close it. None when it would have to be fetched."""
        await self._settled(image.slug)
        return await self._files.open(image.slug, image.sha256)

    async def remote(self, image: Image, start: int, length: int) -> ObjectReader | NodeReader:
        """The bytes of the row's original, from the store or a node.

        Raises NodeUnavailable; StoreUnavailable, also if it was replaced since the row was read.
        """
        if (neighbours := self._having(image)) is not None:
            async with self._or_store(image):
                return await neighbours.open(image, start, length)
        try:
            reader = await self._store.open(object_key(image.slug), start, length)
        except ObjectMissing as fault:
            raise self._missing(fault) from fault
        except StoreUnavailable as fault:
            fault.retry_after_s = RETRY_AFTER_S
            raise
        try:
            await self._refuse_replaced(image)
        except BaseException:
            await reader.aclose()
            raise
        return reader

    async def require_reachable(self, image: Image) -> None:
        """Raises NodeUnavailable where only a node that doesn't answer has the row's original, or as `remote` does.

        Raises StoreUnavailable if it should be here, and is not: this server's disk was lost.
        """
        if self._having(image) is not None:
            await (await self.remote(image, 0, 1)).aclose()
        elif image.location is Location.SPOOL and not await self._is_here_or_stored(image):
            raise StoreUnavailable("The original can't be found at the moment. Try again.", retry_after_s=RETRY_AFTER_S)

    def _having(self, image: Image) -> NeighbourOriginals | None:
        """The neighbours, where one of them has the row's original and the store doesn't."""
        is_here = image.node is None or self._this_node.has(image.node)
        return None if is_here or image.location is Location.STORE else self._neighbours

    @asynccontextmanager
    async def _or_store(self, image: Image) -> AsyncIterator[None]:
        """Ends the block without an error where its node can't give the row's original, and the store can."""
        try:
            yield
        except ObjectMissing:
            await self._require_stored(image)
        except NodeUnavailable:
            if not await self._is_stored(image):
                raise

    async def _require_stored(self, image: Image) -> None:
        """For an original that its node didn't have. Raises StoreUnavailable unless it was shipped in the meantime."""
        row = await self._catalogue.get(image.slug)
        if isinstance(row, Image) and row.location is Location.SPOOL:
            raise StoreUnavailable("The original can't be found at the moment. Try again.", retry_after_s=RETRY_AFTER_S)

    async def _is_here_or_stored(self, image: Image) -> bool:
        if (found := await self._files.open(image.slug, image.sha256)) is None:
            return await self._is_stored(image)
        found.close()
        return True

    async def _is_stored(self, image: Image) -> bool:
        """Whether the store has the row's bytes, and not those of before a cleaning: its node may have died in between.

        The node records that it has shipped an original after the store has it.
        """
        try:
            stored = await self._store.stat(object_key(image.slug))
        except (ObjectMissing, StoreUnavailable):
            return False
        return (stored.bytes, stored.metadata.get("sha256")) == (image.bytes, image.sha256)

    # --- replacing ------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def replacing(self, slug: str) -> AsyncIterator[None]:
        """Keep everybody from opening the original while its row and its files change together."""
        while (fetch := self._fetches.join(slug, Clients())) is not None:
            await asyncio.wait([fetch])
        self._replacing[slug] = settled = asyncio.Event()
        try:
            yield
        finally:
            del self._replacing[slug]
            settled.set()

    async def _settled(self, slug: str) -> None:
        while (settled := self._replacing.get(slug)) is not None:
            await settled.wait()

    async def _refuse_replaced(self, image: Image) -> None:
        """For a reader of the store's object, which is replaced after its row: the headers describe the row's bytes.

        A copy with other bytes goes.
        """
        row = await self._catalogue.get(image.slug)
        if isinstance(row, Image) and row.sha256 != image.sha256:
            raise StoreUnavailable("The original was replaced a moment ago. Try again.", retry_after_s=1)
        await self._files.drop_other_copy(image.slug, image.sha256)

    # --- fetching -------------------------------------------------------------------------------------------------

    async def _fetched(self, image: Image, clients: Clients) -> BinaryIO | None:
        """The original, fetched. None where it was evicted or replaced meanwhile.

        An image has one fetch at a time, which outlives its request; clients take turns.
        """
        queue = self._large if image.bytes > LARGE_BYTES else self._small

        async def fetch_in_turn(flight: Flight) -> None:
            async with Lease(queue, Priority.VIEW, flight.clients, lambda place: place):
                await self._fetch_now(image)

        await self._settled(image.slug)
        found = await self._files.open(image.slug, image.sha256)  # what the store has may be what was replaced
        if found is not None:
            return found
        await self._fetches.run(image.slug, fetch_in_turn, clients)
        return await self._files.open(image.slug, None)

    async def close(self) -> None:
        """Cancel running fetches."""
        await self._fetches.close()

    async def _fetch_now(self, image: Image) -> None:
        self._files.expect(image.slug)
        try:
            await self._fetch_into_copies(image)
        except (DiskFull, OSError) as fault:
            if isinstance(fault, OSError) and fault.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise Busy(
                "There is not enough disk space to fetch the original from the store. Try again in a few seconds.",
                retry_after_s=RETRY_AFTER_S,
            ) from fault
        try:
            row = require_visible(await self._catalogue.get(image.slug), now_s=0)
        except (UnknownImage, GoneImage):  # it ended meanwhile
            await self._spool.remove(image.slug)
            raise
        if row.sha256 != image.sha256:
            await self._spool.drop_copy(image.slug)
            return
        self._files.note_copy(image.slug, image.sha256)
        self._spool.count_copy(image.slug)

    async def _fetch_into_copies(self, image: Image) -> None:
        async with self._spool.room_for(image.bytes, of_reserve=True):
            if (neighbours := self._having(image)) is not None:
                async with self._or_store(image):
                    await neighbours.fetch(image, self._spool.copy_path(image.slug))
                    return
            try:
                await self._store.fetch(object_key(image.slug), self._spool.copy_path(image.slug))
            except ObjectMissing as fault:
                raise self._missing(fault) from fault
            except StoreUnavailable as fault:
                fault.retry_after_s = RETRY_AFTER_S
                raise

    def _missing(self, fault: ObjectMissing) -> StoreUnavailable:
        """The error for an object that a visible row points to: a fault of the store, never "gone"."""
        self._metrics.store_faults.labels("missing").inc()
        return StoreUnavailable(
            "The object store can't find the original at the moment. Try again in a few seconds.",
            retry_after_s=RETRY_AFTER_S,
        )
