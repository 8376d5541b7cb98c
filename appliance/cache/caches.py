"""The three caches: renditions, tiles and pyramids, each with a budget of its own.

They are apart so that one viewer of all tiles of a huge image doesn't push out everybody's thumbnails.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from appliance.cache.cache import Cache
from appliance.cache.pyramids import Pyramids
from appliance.config.model import Config
from appliance.domain.renditions import EDITION, edition_of


class Caches:
    """The three caches, which forget an image together."""

    def __init__(self, renditions: Cache, tiles: Cache, pyramids: Pyramids) -> None:
        self.renditions = renditions
        self.tiles = tiles
        self.pyramids = pyramids

    @classmethod
    def of(cls, config: Config) -> Self:
        budgets = config.cache
        return cls(
            Cache(
                config.cache_dir / "renditions",
                edition=edition_of(config.renditions.presets),
                memory_bytes=budgets.memory_bytes,
                disk_bytes=budgets.disk_bytes,
            ),
            Cache(
                config.cache_dir / "tiles",
                edition=str(EDITION),
                memory_bytes=budgets.tiles_memory_bytes,
                disk_bytes=budgets.tiles_bytes,
            ),
            Pyramids(config.cache_dir / "pyramids", limit_bytes=budgets.pyramids_bytes),
        )

    async def start(self) -> None:
        """Return soon; renditions and tiles on the disk are counted in the background."""
        await asyncio.gather(self.renditions.start(), self.tiles.start(), self.pyramids.start())

    async def close(self) -> None:
        await asyncio.gather(self.renditions.close(), self.tiles.close(), self.pyramids.close())

    async def evict(self, slug: str) -> None:
        """Forget everything that was rendered of an image, and refuse what is being rendered."""
        await asyncio.gather(self.renditions.evict(slug), self.tiles.evict(slug), self.pyramids.evict(slug))

    @asynccontextmanager
    async def renewing(self, slug: str) -> AsyncIterator[None]:
        """Forget everything of an image, and keep nothing new until the block ends, in which its facts change.

        So nothing that was made by the old facts is left, even if the process dies in the block.
        """
        with self.renditions.barred(slug), self.tiles.barred(slug), self.pyramids.barred(slug):
            await self.evict(slug)
            yield
