"""Tiles and every other region: from the cache, else cut from the nearest thing that has the pixels.

An image of ordinary size is cut from its original, a large one from its pyramid. While that is being built, what shows
much of the picture at once comes from a rendition at once, and who looks closer waits some seconds for sharp pixels.
"""

from typing import BinaryIO

from appliance.cache import Caches, Rendition
from appliance.catalogue import ImageCatalogue
from appliance.config.model import Renditions
from appliance.delivery.failures import RETRY_AFTER_S, Failures
from appliance.delivery.pyramid_builder import PyramidBuilder
from appliance.delivery.region_renderer import RegionRenderer
from appliance.delivery.service import Delivery
from appliance.delivery.sources import file_in_memory
from appliance.domain.clients import Clients
from appliance.domain.clock import Clock
from appliance.domain.errors import CannotResize
from appliance.domain.model import Image
from appliance.domain.regions import TILE_PX, Cut, Material, Quality
from appliance.domain.render_cost import is_long_cut
from appliance.domain.renditions import LOSSY, Facts, Priority, Target, fit
from appliance.domain.visibility import require_visible
from appliance.observability.metrics import Metrics
from appliance.shared.negative_cache import NegativeCache
from appliance.shared.single_flight import SingleFlight
from appliance.shared.threads import Threads
from appliance.workers import Workers

LARGE_BYTES = 1_000_000
THREADS = 2
TRIES = 2  # a pyramid may be rotten, once
SMALL = Facts("image/jpeg", TILE_PX, TILE_PX)  # what a cut from a pyramid or a rendition costs, however large the image


class Tiles:
    """Opens regions of living images."""

    def __init__(
        self,
        config: Renditions,
        *,
        caches: Caches,
        workers: Workers,
        catalogue: ImageCatalogue,
        delivery: Delivery,
        pyramid_builder: PyramidBuilder,
        region_renderer: RegionRenderer,
        failures: Failures,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._largest = max(config.presets, key=lambda preset: preset.box_px)
        self._cache = caches.tiles
        self._pyramids = caches.pyramids
        self._workers = workers
        self._catalogue = catalogue
        self._delivery = delivery
        self._pyramid_builder = pyramid_builder
        self._region_renderer = region_renderer
        self._failures = failures
        self._metrics = metrics
        self._clock = clock
        self._overdue: NegativeCache[tuple[str, Cut]] = NegativeCache(ttl_s=RETRY_AFTER_S, clock=clock)
        self._threads = Threads("tiles", THREADS)
        self._flights: SingleFlight[tuple[str, Cut], Rendition] = SingleFlight()

    async def close(self) -> None:
        """Give up what is under way."""
        await self._flights.close()
        await self._region_renderer.close()
        await self._pyramid_builder.close()
        await self._threads.close()

    def expect(self, image: Image, client: str) -> None:
        """Somebody is about to zoom. Raises CannotResize when nothing of it can be shown."""
        self._failures.refuse(image)
        self._pyramid_builder.ensure(image, client)

    async def open(self, image: Image, cut: Cut, client: str) -> Rendition:
        """A region of a resolved image, from memory, from disk, or made now, once for all clients who wait for it.

        Raises CannotResize, Busy, StoreUnavailable.
        """
        found, layer = self._cache.peek(image.slug, cut.name), "memory"
        if found is None:
            found, layer = await self._cache.get(image.slug, cut.name), "disk"
        self._metrics.tile_lookups.labels(layer if found else "miss").inc()
        return found or await self._made(image, cut, client)

    async def _made(self, image: Image, cut: Cut, client: str) -> Rendition:
        self._failures.refuse(image)
        if (image.slug, cut) in self._overdue:  # what asks for too much says nothing of its image
            raise CannotResize("This part of the image could not be rendered a moment ago. Request a smaller one.")
        return await self._flights.run(
            (image.slug, cut), lambda flight: self._make(image, cut, flight.clients), Clients(client)
        )

    async def _make(self, image: Image, cut: Cut, clients: Clients) -> Rendition:
        ticket = self._cache.begin(image.slug)
        try:
            row = await self._catalogue.get(image.slug)  # read after the ticket was drawn
            image = require_visible(row, self._clock())
            made = await self._summed(await self._cut(image, cut, clients))
            await self._cache.admit(ticket, cut.name, made)
            return made
        except CannotResize as fault:
            if not fault.final:
                self._overdue.add((image.slug, cut))
            raise
        finally:
            self._cache.end(ticket)

    async def _summed(self, data: bytes) -> Rendition:
        if len(data) <= LARGE_BYTES:
            return Rendition.of(data)
        return await self._threads.run(Rendition.of, data)

    # --- where the pixels come from -------------------------------------------------------------------------------

    async def _cut(self, image: Image, cut: Cut, clients: Clients) -> bytes:
        for _ in range(TRIES if self._pyramid_builder.is_eligible(image) else 0):
            pyramid = await self._pyramid(image, cut, clients)
            if pyramid is None or isinstance(pyramid, bytes):
                break
            with pyramid:
                try:
                    return await self._from_file(pyramid, image, Material.PYRAMID, cut, clients)
                except CannotResize as fault:
                    if not fault.final:  # a deadline or a worker's death is no verdict on the pyramid
                        raise
                    await self._pyramids.evict(image.slug)  # nor is one on the pyramid one on the image: build it anew
        else:
            pyramid = None
        return pyramid or await self._region_renderer.render(image, cut, clients)

    async def _pyramid(self, image: Image, cut: Cut, clients: Clients) -> BinaryIO | bytes | None:
        """The pyramid, or while it is being built the cut itself; None when there is neither."""
        found = self._pyramids.open(image.slug)
        if found is not None:
            return found
        self._pyramid_builder.ensure(image, clients.first)
        return await self._from_rendition(image, cut, clients) or await self._pyramid_builder.open_built(image, clients)

    async def _from_rendition(self, image: Image, cut: Cut, clients: Clients) -> bytes | None:
        """The cut, if the largest rendition has all the pixels that it shows."""
        width, _ = fit(image.width, image.height, self._largest.box_px)
        if cut.reduction < image.width / width or cut.format not in LOSSY or cut.quality is not Quality.DEFAULT:
            return None
        target = Target(self._largest, image.linked_format)
        rendition = await self._delivery.rendition_for(image, target, clients)
        with file_in_memory(rendition.data) as file:
            return await self._from_file(file, image, Material.RENDITION, cut, clients)

    async def _from_file(self, file: BinaryIO, image: Image, material: Material, cut: Cut, clients: Clients) -> bytes:
        """What shows much waits among the long work, behind the views there."""
        long = is_long_cut(cut)
        priority = Priority.PREWARM if long else Priority.VIEW
        async with self._workers.queue(SMALL, priority, clients, long=long) as worker:
            (data,) = await worker.cut(file.fileno(), image.facts, material, (cut,))
        return data
