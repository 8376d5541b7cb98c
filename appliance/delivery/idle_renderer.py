"""Rendering while the host is idle: what pages would like to have, and nobody waits for.

    page is shown, image is prewarmed --> `want` --> the newest first
                                                        | no order runs or waits in any lane
                                                        v
                                          one rendition, in the lane of pyramids

An order that has begun is finished: it takes less than a second at a low priority of the processor, and less than the
start of another process would. Nothing that goes wrong here changes an image's state.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Container, Iterable

from appliance.cache import Cache, Rendition, Ticket
from appliance.catalogue import ImageCatalogue
from appliance.config.model import Renditions
from appliance.delivery.hashing import RenditionHasher
from appliance.delivery.originals import Originals
from appliance.delivery.sources import nearest_source
from appliance.domain.clients import HOST, Clients
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError, CannotResize
from appliance.domain.model import Image
from appliance.domain.renditions import Format, RenderedFile, Target
from appliance.domain.visibility import require_visible
from appliance.observability.metrics import Metrics
from appliance.shared.negative_cache import NegativeCache
from appliance.workers import Workers

MAX_WAITING = 4096
CHECK_S = 0.25
RETRY_AFTER_S = 3600.0
_GAIN_MAP_MARKS = (b"http://ns.adobe.com/hdr-gain-map/", b"urn:iso:std:iso:ts:21496:-1")
"""In the head of a JPEG that shows HDR, as AVIF and WebP made here can't."""

log = logging.getLogger(__name__)


class IdleRenderer:
    """Renders what is wanted while `workers` have nothing else to do. It is forgotten at a restart."""

    def __init__(
        self,
        config: Renditions,
        *,
        cache: Cache,
        workers: Workers,
        originals: Originals,
        catalogue: ImageCatalogue,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._config = config
        self._cache = cache
        self._workers = workers
        self._originals = originals
        self._catalogue = catalogue
        self._metrics = metrics
        self._clock = clock
        self._hasher = RenditionHasher("idle")
        self._waiting: OrderedDict[tuple[str, Target], Image] = OrderedDict()
        self._futile: NegativeCache[str] = NegativeCache(ttl_s=RETRY_AFTER_S, clock=clock)
        self._task: asyncio.Task[None] | None = None
        self._is_rendering = False

    @property
    def running(self) -> int:
        """How many renditions are being made: 0 or 1."""
        return int(self._is_rendering)

    @property
    def waiting(self) -> int:
        """How many renditions wait for an idle moment."""
        return len(self._waiting)

    def want(self, image: Image, targets: Iterable[Target], made: Container[str]) -> None:
        """Render these targets, the first one first, except those whose names are in `made`. Never waits.

        Nothing is rendered of an image that is expensive to decode: a view of another such image would have to wait.
        """
        if image.slug in self._futile or self._workers.is_expensive(image.facts):
            return
        missing = [target for target in targets if target.name not in made]
        for target in reversed(missing):
            self._waiting[image.slug, target] = image
            self._waiting.move_to_end((image.slug, target))
        while len(self._waiting) > MAX_WAITING:
            self._waiting.popitem(last=False)
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work_off())

    async def close(self) -> None:
        """Give up what is under way."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._hasher.close()

    async def _work_off(self) -> None:
        while self._waiting:
            if self._workers.is_idle:
                (_, target), image = self._waiting.popitem()
                await self._render_if_possible(image, target)
            else:
                await asyncio.sleep(CHECK_S)

    async def _render_if_possible(self, image: Image, target: Target) -> None:
        """Never raises: pages show JPEGs."""
        self._is_rendering = True
        ticket = self._cache.begin(image.slug)
        try:
            await self._render(image, target, ticket)
        except CannotResize:
            self._futile.add(image.slug)
        except ApplianceError as fault:  # the image ended, or the store is away
            log.debug("not rendered while idle: %s", fault.detail, extra={"slug": image.slug})
        except Exception:
            log.exception("rendering while idle failed", extra={"slug": image.slug})
            self._futile.add(image.slug)
        finally:
            self._cache.end(ticket)
            self._is_rendering = False

    async def _render(self, image: Image, target: Target, ticket: Ticket) -> None:
        image = require_visible(await self._catalogue.get(image.slug), self._clock())  # after drawing the ticket
        if target.name in await self._cache.names(image.slug):
            return
        jpeg = await self._largest_jpeg(image)
        if jpeg is None:  # nobody knows yet whether it has a gain map
            return
        if any(mark in jpeg.data for mark in _GAIN_MAP_MARKS):
            raise CannotResize("Its JPEGs show more than other formats can: they have a gain map.")
        (made,) = await self._rendered(image, target)
        await self._cache.admit(ticket, target.name, await self._hasher.rendition_of(made.data))
        self._metrics.renditions.labels(target.preset.name, target.format.value).inc()

    async def _rendered(self, image: Image, target: Target) -> list[RenderedFile]:
        """From a larger rendition, else from the original."""
        source = await nearest_source(self._cache, self._config, image, [target])
        with source.open() if source else await self._originals.file(image, Clients(HOST)) as file:
            async with self._workers.lease_in_background() as worker:
                return await worker.render(file.fileno(), image.facts, (target,))

    async def _largest_jpeg(self, image: Image) -> Rendition | None:
        """The image's largest JPEG in the cache."""
        for preset in sorted(self._config.presets, key=lambda preset: -preset.box_px):
            found = await self._cache.get(image.slug, Target(preset, Format.JPG).name)
            if found is not None:
                return found
        return None
