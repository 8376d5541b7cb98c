"""Render sessions: the steps before and after every rendering of an image.

A ticket of the cache is drawn before the row is read, so that nothing is kept of an image that ends meanwhile.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import BinaryIO

from appliance.cache import Cache, Rendition, Ticket
from appliance.catalogue import ImageCatalogue
from appliance.config.model import Renditions
from appliance.delivery.hashing import RenditionHasher
from appliance.delivery.originals import Originals
from appliance.delivery.sources import RenditionSource, nearest_source
from appliance.domain.clients import Clients
from appliance.domain.clock import Clock
from appliance.domain.model import Image
from appliance.domain.renditions import Format, RenderedFile, Target
from appliance.domain.visibility import require_visible
from appliance.observability.metrics import Metrics


class RenderSessions:
    """Opens sessions over the cache, and over the originals."""

    def __init__(
        self,
        config: Renditions,
        *,
        cache: Cache,
        originals: Originals,
        catalogue: ImageCatalogue,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self.config = config
        self.cache = cache
        self.originals = originals
        self.metrics = metrics
        self._catalogue = catalogue
        self._clock = clock
        self.hasher = RenditionHasher("renderer")

    @asynccontextmanager
    async def open(self, slug: str) -> AsyncIterator["RenderSession"]:
        """A session on the visible image with this slug. Raises UnknownImage, GoneImage."""
        ticket = self.cache.begin(slug)
        try:
            yield RenderSession(self, require_visible(await self._catalogue.get(slug), self._clock()), ticket)
        finally:
            self.cache.end(ticket)

    async def close(self) -> None:
        """End its threads."""
        await self.hasher.close()


class RenderSession:
    """Rendering of one `image`, whose row is as it was when the session was opened."""

    def __init__(self, sessions: RenderSessions, image: Image, ticket: Ticket) -> None:
        self._sessions = sessions
        self.image = image
        self._ticket = ticket

    async def names(self) -> frozenset[str]:
        """The renditions of the image that are cached."""
        return await self._sessions.cache.names(self.image.slug)

    async def largest_jpeg(self) -> Rendition | None:
        """The image's largest JPEG in the cache."""
        for preset in sorted(self._sessions.config.presets, key=lambda preset: -preset.box_px):
            found = await self._sessions.cache.get(self.image.slug, Target(preset, Format.JPG).name)
            if found is not None:
                return found
        return None

    async def source(self, targets: Iterable[Target]) -> RenditionSource | None:
        """The smallest cached rendition that every target can be made from; None when there is none."""
        return await nearest_source(self._sessions.cache, self._sessions.config, self.image, targets)

    async def original(self, clients: Clients) -> BinaryIO:
        """The original as a file; close it. Raises as `Originals.file` does."""
        return await self._sessions.originals.file(self.image, clients)

    async def finish(self, made: RenderedFile) -> Rendition:
        """The rendition that a worker has made, with its hash, and counted."""
        rendition = await self._sessions.hasher.rendition(made)
        self._sessions.metrics.renditions.labels(made.target.preset.name, made.target.format.value).inc()
        return rendition

    async def keep(self, target: Target, rendition: Rendition) -> None:
        """Cache a finished rendition, unless the image has ended since the session was opened."""
        await self.keep_all({target: rendition})

    async def keep_all(self, finished: Mapping[Target, Rendition]) -> None:
        """The same for several, in one go."""
        by_name = {target.name: rendition for target, rendition in finished.items()}
        await self._sessions.cache.admit_all(self._ticket, by_name)
