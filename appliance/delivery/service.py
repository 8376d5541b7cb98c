"""Delivery of images: resolve a slug, and open a rendition or the original of its image."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from appliance.cache import Cache, Rendition
from appliance.catalogue import ImageCatalogue
from appliance.config.model import Renditions
from appliance.delivery.details import DetailsReader
from appliance.delivery.idle_renderer import IdleRenderer
from appliance.delivery.originals import Originals
from appliance.delivery.page_formats import page_targets
from appliance.delivery.pyramid_builder import PyramidBuilder
from appliance.delivery.render_sessions import RenderSessions
from appliance.delivery.renderer import Renderer
from appliance.domain.clients import HOST, Clients
from appliance.domain.clock import Clock
from appliance.domain.details import Details
from appliance.domain.errors import ApplianceError, CatalogueUnavailable
from appliance.domain.model import Image
from appliance.domain.renditions import PLACEHOLDER, Priority, Target
from appliance.domain.slugs import is_slug
from appliance.domain.visibility import require_visible
from appliance.limits import ProcessorBudget
from appliance.nodes.reading import NodeReader
from appliance.objectstore import ObjectReader
from appliance.observability.metrics import Metrics
from appliance.shared.client_limiter import ClientLimiter
from appliance.shared.threads import Threads

log = logging.getLogger(__name__)
BLOCK_BYTES = 256 * 1024
MAX_PREWARMS = 64  # at once; a job finds the others within a minute
RETRY_AFTER_S = 10
FOUND_WITHIN_S = 5.0
"""Who looks at an image has had enough by then, whatever a database that doesn't answer waits for."""
THREADS = 16


@dataclass(slots=True)
class Original:
    """An opened original: `length` bytes from `start`, from a local file, the store or another node.

    Iterate it once, then close.
    """

    image: Image
    start: int
    length: int
    source: BinaryIO | ObjectReader | NodeReader
    threads: Threads

    async def blocks(self) -> AsyncIterator[bytes]:
        """The bytes in order, in blocks of bounded size."""
        if not isinstance(self.source, (ObjectReader, NodeReader)):
            async for block in self._file_blocks(self.source):
                yield block
            return
        async for block in self.source:
            yield block

    async def _file_blocks(self, file: BinaryIO) -> AsyncIterator[bytes]:
        at, end = self.start, self.start + self.length
        while at < end and (block := await self.threads.run(os.pread, file.fileno(), min(end - at, BLOCK_BYTES), at)):
            at += len(block)
            yield block

    async def close(self) -> None:
        if isinstance(self.source, (ObjectReader, NodeReader)):
            await self.source.aclose()
        else:
            self.source.close()


@dataclass(frozen=True, slots=True)
class RenditionSummary:
    """The bytes of each finished rendition by its name (`medium.jpg`), and a placeholder if there is one."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    placeholder: bytes | None = None


class Delivery:
    """Opens renditions and originals of visible images."""

    def __init__(
        self,
        config: Renditions,
        *,
        catalogue: ImageCatalogue,
        cache: Cache,
        sessions: RenderSessions,
        renderer: Renderer,
        originals: Originals,
        pyramid_builder: PyramidBuilder,
        idle_renderer: IdleRenderer,
        processor_budget: ProcessorBudget,
        details_reader: DetailsReader,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._cache = cache
        self._sessions = sessions
        self.renderer = renderer
        self.originals = originals
        self.pyramid_builder = pyramid_builder
        self.idle_renderer = idle_renderer
        self._budget = processor_budget
        self._details_reader = details_reader
        self._metrics = metrics
        self._clock = clock
        self._threads = Threads("originals", THREADS)
        self._prewarming: set[asyncio.Task[None]] = set()
        self._prewarm_limiter = ClientLimiter("images are waiting to be resized", RETRY_AFTER_S)

    async def close(self) -> None:
        """Give up what is being rendered and fetched."""
        for task in self._prewarming:
            task.cancel()
        await asyncio.gather(*self._prewarming, return_exceptions=True)
        await self.idle_renderer.close()
        await self._details_reader.close()
        await self.renderer.close()
        await self._sessions.close()
        await self.originals.close()
        await self._threads.close()

    @property
    def prewarming(self) -> int:
        """How many images are being prewarmed, or wait for it, after their upload."""
        return len(self._prewarming)

    async def resolve(self, slug: str) -> Image:
        """The visible image with this slug. Every view asks for it, cache hits too.

        Raises UnknownImage, GoneImage, CatalogueUnavailable.
        """
        try:
            async with asyncio.timeout(FOUND_WITHIN_S):
                image = await self._catalogue.get(slug) if is_slug(slug) else None
        except TimeoutError as error:
            raise CatalogueUnavailable("The catalogue doesn't answer. Try again in a moment.") from error
        return require_visible(image, self._clock())

    async def rendition(self, image: Image, target: Target, client: str) -> Rendition:
        """A rendition of a resolved image, from memory, from disk, or rendered now in the client's turn.

        Raises CannotResize, RateLimited, Busy, StoreUnavailable.
        """
        return await self.rendition_for(image, target, Clients(client))

    async def rendition_for(self, image: Image, target: Target, clients: Clients) -> Rendition:
        """A rendition for several clients; others may join while it waits. Raises as `rendition` does."""
        found, layer = self._cache.peek(image.slug, target.name), "memory"
        if found is None:
            found, layer = await self._cache.get(image.slug, target.name), "disk"
        self._metrics.cache_lookups.labels(layer if found else "miss").inc()
        if found is not None:
            return found
        self._budget.require(clients)
        return await self.renderer.render(image, target, Priority.VIEW, clients)

    async def summarize_renditions(self, image: Image) -> RenditionSummary:
        """The renditions an image has at the moment, for its page. Those that the page lacks are made once the host is
        idle.
        """
        sizes = await self._cache.sizes(image.slug)
        self.idle_renderer.want(image, page_targets(image, self._config), sizes)
        tiny = await self._cache.get(image.slug, PLACEHOLDER.name) if PLACEHOLDER.name in sizes else None
        return RenditionSummary(sizes, None if tiny is None else tiny.data)

    async def details(self, image: Image, client: str) -> Details:
        """What the original of a resolved image says of itself. Raises RateLimited, Busy, StoreUnavailable."""
        return await self._details_reader.read(image, Clients(client))

    async def original(self, image: Image, start: int = 0, length: int | None = None) -> Original:
        """The row's original, or `length` bytes of it from `start`. Raises StoreUnavailable, NodeUnavailable."""
        length = image.bytes - start if length is None else length
        if (here := await self.original_here(image, start, length)) is not None:
            return here
        return Original(image, start, length, await self.originals.remote(image, start, length), self._threads)

    async def original_here(self, image: Image, start: int, length: int) -> Original | None:
        """As `original`, but None unless it is on this disk."""
        source = await self.originals.local(image)
        return None if source is None else Original(image, start, length, source, self._threads)

    # --- prewarming -----------------------------------------------------------------------------------------------

    def prewarm_soon(self, image: Image, client: str) -> None:
        """Render the configured presets in the background, unless too many images wait for that already."""
        wanted = self._config.prewarm and image.original_only is None
        if wanted and len(self._prewarming) < MAX_PREWARMS and self._prewarm_limiter.has_room(client, MAX_PREWARMS):
            self._prewarm_limiter.take(client)
            task = asyncio.create_task(self.prewarm(image, client))
            self._prewarming.add(task)
            task.add_done_callback(lambda done: self._prewarmed(done, client))

    def _prewarmed(self, task: asyncio.Task[None], client: str) -> None:
        self._prewarming.discard(task)
        self._prewarm_limiter.give_back(client)

    async def prewarm(self, image: Image, client: str = HOST) -> None:
        """Render the missing ones of the configured presets from one decode, and record in the row that they exist.

        Never raises: a job renders what is still missing within a minute.
        """
        try:
            await self._render_missing(image, client)
        except ApplianceError as fault:  # a recorded failure, a full queue, or a store that is away
            log.debug("not prewarmed: %s", fault.detail, extra={"slug": image.slug})
        except Exception:
            log.exception("prewarming failed", extra={"slug": image.slug})

    async def _render_missing(self, image: Image, client: str) -> None:
        names = await self._cache.names(image.slug)
        targets = [
            Target(preset, image.linked_format)
            for preset in self._config.presets
            if preset.name in self._config.prewarm
        ]
        if not image.animated and not image.has_alpha:  # it would show through the image
            targets.append(PLACEHOLDER)
        require_visible(await self._catalogue.get(image.slug), self._clock())
        missing, clients = [target for target in targets if target.name not in names], Clients(client)
        wanted = [self.renderer.order(image, target, Priority.PREWARM, clients) for target in missing]
        if wanted:
            await asyncio.wait(wanted)
        if all(future.exception() is None for future in wanted):
            await self._catalogue.mark_prewarmed([image.slug])
            self.pyramid_builder.prepare(image, client)  # after the sizes, which are viewed first
            self.idle_renderer.want(image, page_targets(image, self._config)[:1], names)
