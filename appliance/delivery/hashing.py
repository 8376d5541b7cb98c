"""Hashing finished files, which gives them their ETags, without holding up the event loop."""

from dataclasses import replace

from appliance.cache import Rendition
from appliance.domain.renditions import RenderedFile
from appliance.shared.threads import Threads

LARGE_BYTES = 1_000_000  # a smaller file is hashed faster than a thread is reached
THREADS = 2


class RenditionHasher:
    """Makes renditions of files, on threads of its own where they are large."""

    def __init__(self, name: str) -> None:
        self._threads = Threads(name, THREADS)

    async def rendition(self, made: RenderedFile) -> Rendition:
        """The finished file with its hash, and what is known of it."""
        return replace(await self.rendition_of(made.data), has_gain_map=made.has_gain_map)

    async def rendition_of(self, data: bytes) -> Rendition:
        """The file with its hash."""
        if len(data) <= LARGE_BYTES:
            return Rendition.of(data)
        return await self._threads.run(Rendition.of, data)

    async def close(self) -> None:
        """End its threads."""
        await self._threads.close()
