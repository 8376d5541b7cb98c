"""The front of delivery: resolve a slug, and open a rendition or the original of the image that lives under it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO

from appliance.cache import Cache, Rendition
from appliance.catalogue import Catalogue
from appliance.clock import Clock
from appliance.config import Renditions
from appliance.delivery.making import Making
from appliance.delivery.originals import Originals
from appliance.errors import ApplianceError
from appliance.living import living
from appliance.metrics import Metrics
from appliance.model import Image
from appliance.objectstore import ObjectReader
from appliance.renditions import Format, Priority, Target
from appliance.slugs import is_slug

BLOCK_BYTES = 256 * 1024
PREWARMS = 64  # at once; the minute job finds the others


@dataclass(slots=True)
class Original:
    """An opened original: `length` bytes from `start`, from a local file or the store. Iterate it once, then close."""

    image: Image
    start: int
    length: int
    source: BinaryIO | ObjectReader

    async def blocks(self) -> AsyncIterator[bytes]:
        """The bytes in order, in blocks of bounded size."""
        if not isinstance(self.source, ObjectReader):
            async for block in self._file_blocks(self.source):
                yield block
            return
        async for block in self.source:
            yield block

    async def _file_blocks(self, file: BinaryIO) -> AsyncIterator[bytes]:
        await asyncio.to_thread(file.seek, self.start)
        left = self.length
        while left and (block := await asyncio.to_thread(file.read, min(left, BLOCK_BYTES))):
            left -= len(block)
            yield block

    async def close(self) -> None:
        if isinstance(self.source, ObjectReader):
            await self.source.aclose()
        else:
            self.source.close()


class Delivery:
    """Opens renditions and originals of living images."""

    def __init__(
        self,
        config: Renditions,
        *,
        catalogue: Catalogue,
        cache: Cache,
        making: Making,
        originals: Originals,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._cache = cache
        self._making = making
        self._originals = originals
        self._metrics = metrics
        self._clock = clock
        self._prewarming: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Give up the renditions that nobody waits for."""
        for task in self._prewarming:
            task.cancel()
        await asyncio.gather(*self._prewarming, return_exceptions=True)
        await self._making.close()
        await self._originals.close()

    async def resolve(self, slug: str) -> Image:
        """The living image; asked on every view, hits included. Raises UnknownImage, GoneImage."""
        image = await self._catalogue.get(slug) if is_slug(slug) else None
        return living(image, self._clock())

    async def rendition(self, image: Image, target: Target) -> Rendition:
        """A rendition of a resolved image, from memory, from disk, or made now.

        Raises CannotResize, Busy, StoreUnavailable.
        """
        found, layer = self._cache.peek(image.slug, target.name), "memory"
        if found is None:
            found, layer = await self._cache.get(image.slug, target.name), "disk"
        self._metrics.cache_lookups.labels(layer if found else "miss").inc()
        return found or await self._making.make(image, target, Priority.VIEW)

    async def original(self, image: Image, start: int = 0, length: int | None = None) -> Original:
        """The original, or `length` bytes of it from `start`. Raises StoreUnavailable."""
        length = image.bytes - start if length is None else length
        source: BinaryIO | ObjectReader | None = self._originals.local(image)
        if source is None:
            source = await self._originals.remote(image, start, length)
        return Original(image, start, length, source)

    def negotiated(self, image: Image, accepted: frozenset[str]) -> Format:
        """The best format that a client names in its Accept header; the linked one for those that name none.

        `accepted` holds media types. Formats that can't carry the picture's animation or alpha come last.
        """
        able = [candidate for candidate in self._config.formats if self._carries(image, candidate)]
        for candidate in (Format.AVIF, Format.WEBP):
            if candidate in able and candidate.media_type in accepted:
                return candidate
        if image.linked_format in able and image.linked_format is Format.JPG:
            return Format.JPG
        fallback = Format.GIF if image.animated else Format.PNG
        return fallback if fallback in able else image.linked_format

    @staticmethod
    def _carries(image: Image, candidate: Format) -> bool:
        if image.animated:
            return candidate.has_animation
        return candidate is not Format.GIF and (candidate.has_alpha or not image.has_alpha)

    # --- prewarming -----------------------------------------------------------------------------------------------

    def prewarm_soon(self, image: Image) -> None:
        """Make the configured presets in the background, unless plenty of images wait for that already."""
        if self._config.prewarm and image.original_only is None and len(self._prewarming) < PREWARMS:
            task = asyncio.create_task(self.prewarm(image))
            self._prewarming.add(task)
            task.add_done_callback(self._prewarming.discard)

    async def prewarm(self, image: Image) -> None:
        """Make the configured presets that are missing, from one decode, and note in the row that they were made."""
        names = await self._cache.names(image.slug)
        targets = [
            Target(preset, image.linked_format)
            for preset in self._config.presets
            if preset.name in self._config.prewarm
        ]
        try:
            living(await self._catalogue.get(image.slug), self._clock())
            wanted = [
                self._making.order(image, target, Priority.PREWARM) for target in targets if target.name not in names
            ]
            if wanted:
                await asyncio.wait(wanted)
        except ApplianceError:
            return  # a row that failed is remembered as such; a full queue or a store that is away: the minute job
        if all(future.exception() is None for future in wanted):
            await self._catalogue.mark_prewarmed([image.slug])
