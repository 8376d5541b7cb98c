"""Originals of ended images that can be restored, and that only this server has.

They wait in its spool, because most of them are erased unseen. A server that is drained ships them too: it may leave
for good, and its disk isn't needed then.
"""

import itertools
from collections.abc import Callable

from appliance.catalogue import Catalogue
from appliance.domain.model import Image
from appliance.domain.this_node import ThisNode
from appliance.lifecycle.shipping import Shipper
from appliance.objectstore.records import record_of
from appliance.spool import Spool


class EndedOriginals:
    """Ships those of this server while it is drained."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        spool: Spool,
        shipper: Shipper,
        this_node: ThisNode,
        is_drained: Callable[[], bool],
    ) -> None:
        self._this_node = this_node
        self._catalogue = catalogue
        self._spool = spool
        self._shipper = shipper
        self._is_drained = is_drained

    async def count_waiting(self) -> int:
        """How many have yet to be shipped: none unless the server is drained. Raises the catalogue's faults.

        Those aren't among them that the queue still counts, because they were to be shipped when their images ended.
        """
        return len([slug for slug in await self._waiting() if slug not in self._shipper.queue])

    async def run(self) -> int:
        """Ship them, and return how many are in the store now. Raises StoreUnavailable and the catalogue's faults."""
        shipped = 0
        for slug in await self._waiting():
            async with self._shipper.holding(slug):
                shipped += await self._ship(slug)
        return shipped

    async def _waiting(self) -> list[str]:
        """The slugs of those whose file is here: one that is lost would keep the server from being drained for ever."""
        if not self._is_drained() or not (landed := set(await self._spool.landed_slugs())):
            return []
        restorable = [await self._catalogue.nodes.restorable_on(name) for name in await self._names()]
        return [slug for slug in itertools.chain(*restorable) if slug in landed]

    async def _names(self) -> list[str]:
        """What rows call this server. Those of one that is alone name no node, or one that it was before."""
        if self._this_node.name is not None:
            return [self._this_node.name]
        return ["", *(node.name for node in await self._catalogue.nodes.nodes())]

    async def _ship(self, slug: str) -> bool:
        images, path, objects = self._catalogue.images, self._spool.landed_path(slug), self._shipper.objects
        image = await images.get(slug)
        if not isinstance(image, Image) or image.ended is None or not path.exists():  # erased, or restored meanwhile
            return False
        await objects.put(image, path, record_of(image))
        if await images.mark_shipped(slug, image.sha256, may_be_restorable=True):
            await self._spool.release(slug)
            return True
        row = await images.get(slug)
        if not isinstance(row, Image) or row.ended is not None:  # its erasing has begun
            await objects.delete(image)
        return False
