"""Prewarming: every minute, the configured presets are rendered for images that do not have them yet."""

import asyncio

from appliance.catalogue import ImageCatalogue
from appliance.delivery import Delivery
from appliance.domain.model import Image

BATCH = 200
AT_ONCE = 8


class Prewarmer:
    """Finds rows that are not prewarmed, newest first, and has their presets rendered at background priority.

    `batch` is how many images a run has at most.
    """

    def __init__(self, *, catalogue: ImageCatalogue, delivery: Delivery, enabled: bool, batch: int = BATCH) -> None:
        self._catalogue = catalogue
        self._delivery = delivery
        self._enabled = enabled
        self.batch = batch
        self._after = ""

    async def prewarm_batch(self) -> int:
        """Prewarm one batch, so that a run ends in about a minute. Returns how many images it had.

        The next run continues after it and starts over at the end, so images that always fail block no others.
        """
        if not self._enabled:
            return 0
        images = await self._catalogue.unwarmed(self._after, self.batch)
        self._after = images[-1].slug if len(images) == self.batch else ""
        at_once = asyncio.Semaphore(AT_ONCE)

        async def prewarm_one(image: Image) -> None:
            async with at_once:
                await self._delivery.prewarm(image)

        await asyncio.gather(*(prewarm_one(image) for image in images))
        return len(images)
