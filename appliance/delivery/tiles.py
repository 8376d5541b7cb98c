"""Tiles and other regions of images: from the cache, else cut from the nearest source that has the pixels.

    open --> cache --> one flight per region --> pyramid, if the image is large
                                                 largest rendition, while the pyramid is being built
                                                 original, by `RegionRenderer`

While a pyramid is being built, views of much of the image come from a rendition at once; closer views wait a few
seconds for sharp pixels.
"""

from typing import BinaryIO

from appliance.cache import Caches, Rendition
from appliance.catalogue import ImageCatalogue
from appliance.config.model import Renditions
from appliance.delivery.failures import RETRY_AFTER_S, Failures
from appliance.delivery.hashing import RenditionHasher
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
from appliance.domain.renditions import LOSSY, Facts, Priority, Target, shape
from appliance.domain.visibility import require_visible
from appliance.limits import ProcessorBudget
from appliance.observability.metrics import Metrics
from appliance.shared.negative_cache import NegativeCache
from appliance.shared.single_flight import SingleFlight
from appliance.workers import Workers

MAX_PYRAMID_TRIES = 2  # the first pyramid may be damaged
CHEAP = Facts("image/jpeg", TILE_PX, TILE_PX)  # the cost of a cut from a pyramid or rendition of any image


class Tiles:
    """Opens regions of visible images."""

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
        processor_budget: ProcessorBudget,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._largest = max(config.presets, key=lambda preset: preset.box_px)
        self._cache = caches.tiles
        self._pyramids = caches.pyramids
        self._workers = workers
        self._catalogue = catalogue
        self._delivery = delivery
        self.pyramid_builder = pyramid_builder
        self._region_renderer = region_renderer
        self._failures = failures
        self._budget = processor_budget
        self._metrics = metrics
        self._clock = clock
        self._overdue: NegativeCache[tuple[str, Cut]] = NegativeCache(ttl_s=RETRY_AFTER_S, clock=clock)
        self._hasher = RenditionHasher("tiles")
        self._flights: SingleFlight[tuple[str, Cut], Rendition] = SingleFlight()

    async def close(self) -> None:
        """Give up what is under way."""
        await self._flights.close()
        await self._region_renderer.close()
        await self.pyramid_builder.close()
        await self._hasher.close()

    def ensure(self, image: Image, client: str) -> None:
        """Prepare the image for zooming, unless the client is over its budget.

        Raises CannotResize when no part of it can be shown.
        """
        self._failures.refuse(image)
        if not self._budget.is_spent(client):
            self.pyramid_builder.ensure(image, Clients(client))

    async def open(self, image: Image, cut: Cut, client: str) -> Rendition:
        """A region of a resolved image, from memory, from disk, or rendered now, once for all clients that wait for it.

        Raises CannotResize, RateLimited, Busy, StoreUnavailable.
        """
        found, layer = self._cache.peek(image.slug, cut.name), "memory"
        if found is None:
            found, layer = await self._cache.get(image.slug, cut.name), "disk"
        self._metrics.tile_lookups.labels(layer if found else "miss").inc()
        return found or await self._render_once(image, cut, client)

    async def _render_once(self, image: Image, cut: Cut, client: str) -> Rendition:
        self._failures.refuse(image)
        self._budget.require(Clients(client))
        if (image.slug, cut) in self._overdue:  # which says nothing about the rest of the image
            raise CannotResize("This part of the image could not be rendered a moment ago. Request a smaller one.")
        return await self._flights.run(
            (image.slug, cut), lambda flight: self._render(image, cut, flight.clients), Clients(client)
        )

    async def _render(self, image: Image, cut: Cut, clients: Clients) -> Rendition:
        ticket = self._cache.begin(image.slug)
        try:
            image = require_visible(await self._catalogue.get(image.slug), self._clock())  # after drawing the ticket
            rendition = await self._hasher.rendition_of(await self._cut(image, cut, clients))
            await self._cache.admit(ticket, cut.name, rendition)
            return rendition
        except CannotResize as fault:
            if not fault.final:
                self._overdue.add((image.slug, cut))
            raise
        finally:
            self._cache.end(ticket)

    # --- where the pixels come from -------------------------------------------------------------------------------

    async def _cut(self, image: Image, cut: Cut, clients: Clients) -> bytes:
        for _ in range(MAX_PYRAMID_TRIES):
            if not self.pyramid_builder.is_eligible(image):
                break
            if (pyramid := self._pyramids.open(image.slug)) is None:
                self.pyramid_builder.ensure(image, clients)
                if (data := await self._from_rendition(image, cut, clients)) is not None:
                    return data
                pyramid = await self.pyramid_builder.open_built(image, clients)
            if pyramid is None:
                break
            if (data := await self._from_pyramid(pyramid, image, cut, clients)) is not None:
                return data
        return await self._region_renderer.render(image, cut, clients)

    async def _from_pyramid(self, pyramid: BinaryIO, image: Image, cut: Cut, clients: Clients) -> bytes | None:
        """The cut; None, after evicting the pyramid, when that is damaged."""
        with pyramid:
            try:
                return await self._from_file(pyramid, image, Material.PYRAMID, cut, clients)
            except CannotResize as fault:
                if not fault.final:  # a deadline or a worker's death says nothing about the pyramid
                    raise
        await self._pyramids.evict(image.slug)
        return None

    async def _from_rendition(self, image: Image, cut: Cut, clients: Clients) -> bytes | None:
        """The cut, if the largest rendition has all the pixels that it shows."""
        largest = shape(image.width, image.height, self._largest)
        width, _ = largest.size
        if not largest.shows_all:
            return None
        if cut.reduction < image.width / width or cut.format not in LOSSY or cut.quality is not Quality.DEFAULT:
            return None
        target = Target(self._largest, image.linked_format)
        rendition = await self._delivery.rendition_for(image, target, clients)
        with file_in_memory(rendition.data) as file:
            return await self._from_file(file, image, Material.RENDITION, cut, clients)

    async def _from_file(self, file: BinaryIO, image: Image, material: Material, cut: Cut, clients: Clients) -> bytes:
        """The cut, from a pyramid or rendition. One that takes long to encode waits with long work."""
        long = is_long_cut(cut)
        priority = Priority.PREWARM if long else Priority.VIEW
        async with self._workers.lease(CHEAP, priority, clients, long=long, charge=self._budget.charge) as worker:
            (data,) = await worker.cut(file.fileno(), image.facts, material, (cut,))
        return data
