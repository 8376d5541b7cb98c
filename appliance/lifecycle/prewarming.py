"""The offline service: every minute, make the configured presets for images that do not have them yet."""

import asyncio
from collections.abc import Awaitable, Callable

from appliance.catalogue import Catalogue
from appliance.model import Image

BATCH = 200
AT_ONCE = 8


class OfflineService:
    """Finds rows that are not prewarmed, newest first, and has them made at background priority."""

    def __init__(self, *, catalogue: Catalogue, prewarm: Callable[[Image], Awaitable[None]], enabled: bool) -> None:
        self._catalogue = catalogue
        self._prewarm = prewarm
        self._enabled = enabled

    async def run(self) -> int:
        """One batch, so that a run ends in about a minute; says how many images it looked at."""
        if not self._enabled:
            return 0
        images = await self._catalogue.unwarmed(limit=BATCH)
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(image: Image) -> None:
            async with at_once:
                await self._prewarm(image)

        await asyncio.gather(*(one(image) for image in images))
        return len(images)
