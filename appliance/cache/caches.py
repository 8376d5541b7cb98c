"""All that is kept of images to be shown again: renditions, tiles and pyramids, each under a budget of its own.

Apart, because whoever walks through all tiles of a giant must not push out everybody's thumbnails.
"""

import asyncio
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
        """Return soon; what the disk holds of renditions and tiles is counted meanwhile."""
        await asyncio.gather(self.renditions.start(), self.tiles.start(), self.pyramids.start())

    async def close(self) -> None:
        await asyncio.gather(self.renditions.close(), self.tiles.close(), self.pyramids.close())

    async def evict(self, slug: str) -> None:
        """Forget everything that was made of an image, and refuse what is being made."""
        await asyncio.gather(self.renditions.evict(slug), self.tiles.evict(slug), self.pyramids.evict(slug))
