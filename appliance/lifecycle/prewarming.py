"""The offline service: every minute, make the configured presets for images that do not have them yet."""

import asyncio

from appliance.catalogue import ImageCatalogue
from appliance.delivery import Delivery
from appliance.domain.model import Image

BATCH = 200
AT_ONCE = 8


class OfflineService:
    """Finds rows that are not prewarmed, newest first, and has them made at background priority."""

    def __init__(self, *, catalogue: ImageCatalogue, delivery: Delivery, enabled: bool) -> None:
        self._catalogue = catalogue
        self._delivery = delivery
        self._enabled = enabled
        self._after = ""

    async def run(self) -> int:
        """One batch, so that a run ends in about a minute; says how many images it looked at.

        The next run goes on behind it, and in the end begins anew: images that always fail block none behind them.
        """
        if not self._enabled:
            return 0
        images = await self._catalogue.unwarmed(self._after, BATCH)
        self._after = images[-1].slug if len(images) == BATCH else ""
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(image: Image) -> None:
            async with at_once:
                await self._delivery.prewarm(image)

        await asyncio.gather(*(one(image) for image in images))
        return len(images)
