"""The replacer: changes what is stored of an image, so that row, files, object, sidecar and caches agree at any time.

A cleaned original takes the way of an upload again. It lands in the spool, its row says so, and it is shipped to the
same key:

    copy, clean --> land (durable) --> row: sha256, location "spool" --> object, sidecar --> row: location "store"

Until the row is committed the store has the original, and a landed file that isn't the row's goes at the next start.
From then on the landed file is the original, which nothing evicts until the store has it. Nobody opens the original
while its file and its row change.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from typing import BinaryIO

from appliance.cache import Caches
from appliance.catalogue import Catalogue
from appliance.delivery.originals import Originals
from appliance.domain.clients import THIS_HOST
from appliance.domain.errors import Conflict, GoneImage, StoreUnavailable, UnknownImage
from appliance.domain.model import Image
from appliance.domain.this_node import ThisNode
from appliance.lifecycle.shipping import Shipper
from appliance.lifecycle.sidecars import Sidecars
from appliance.objectstore.records import record_of
from appliance.reinspection.examiner import BACKGROUND, kept_of
from appliance.spool import Incoming, Spool
from appliance.uploads.metadata_scrubber import Scrubber
from appliance.workers import Workers


class Replacer:
    """Every change compares and sets: whatever became of the image in the meantime wins."""

    def __init__(
        self,
        *,
        spool: Spool,
        workers: Workers,
        catalogue: Catalogue,
        originals: Originals,
        shipper: Shipper,
        sidecars: Sidecars,
        caches: Caches,
        this_node: ThisNode,
    ) -> None:
        self._spool = spool
        self._catalogue = catalogue.images
        self._originals = originals
        self._shipper = shipper
        self._sidecars = sidecars
        self._caches = caches
        self._this_node = this_node
        self._scrubber = Scrubber(
            spool=spool, workers=workers, catalogue=catalogue.uploads, priority_of=lambda _: BACKGROUND
        )

    async def revise(self, before: Image, image: Image) -> Image:
        """Record what is known of an original whose bytes stay. Raises Conflict, GoneImage, UnknownImage."""
        async with self._renewing(before, image):
            revised = await self._catalogue.revise(image)
        await self._sidecars.keep(revised)
        return revised

    async def clean(self, before: Image, image: Image, original: BinaryIO) -> Image:
        """Put a cleaned copy in the place of the open original of `before`, which is in the store.

        `image` has its facts. Returns the image once the store has it. Raises Conflict, GoneImage, UnknownImage,
        DiskFull, Busy, Stopping; StoreUnavailable with the image cleaned and still to be shipped.
        """
        async with self._spool.room_for(before.bytes):
            incoming = await self._spool.working.copy(before.slug, original)
            scrubbed = await self._scrubber.scrub(incoming, None, kept_of(before), THIS_HOST)
            cleaned = replace(
                image,
                bytes=scrubbed.incoming.bytes,
                sha256=scrubbed.incoming.sha256,
                private_data=scrubbed.private_data,
                content_credentials=scrubbed.content_credentials,
                node=self._this_node.name,
            )
            cleaned = await self._replace(before, cleaned, scrubbed.incoming)
        if not await self._shipper.ship(cleaned):
            raise StoreUnavailable(self._shipper.store_fault or "")
        return cleaned

    async def _replace(self, before: Image, image: Image, incoming: Incoming) -> Image:
        slug, record = image.slug, record_of(replace(image, version=image.version + 1))
        async with (
            self._shipper.holding(slug),
            self._renewing(before, image),
            self._originals.replacing(slug),  # last, because viewers wait for its end
        ):
            await self._spool.drop_copy(slug)
            with self._spool.landing(slug):
                await self._spool.land(incoming, record.metadata)
                async with self._taking_back(slug):
                    replaced = await self._catalogue.revise(image, is_replaced=True)
        return replaced

    @asynccontextmanager
    async def _taking_back(self, slug: str) -> AsyncIterator[None]:
        """Take back what landed where its row isn't written; where that is unknown, the shipper finds out."""
        try:
            yield
        except (Conflict, GoneImage, UnknownImage):
            await self._spool.discard(slug)
            raise
        except BaseException:
            await self._spool.quarantine(slug)
            raise

    @asynccontextmanager
    async def _renewing(self, before: Image, image: Image) -> AsyncIterator[None]:
        """Have the caches forget what shows the image by facts that change."""
        is_same = image.facts.shows_like(before.facts)
        async with nullcontext() if is_same else self._caches.renewing(image.slug):
            yield
