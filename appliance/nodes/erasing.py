"""Erasing on other nodes: each may have the original, renditions or records of an image that has ended."""

import asyncio
from http import HTTPStatus

from appliance.domain.errors import NodeUnavailable
from appliance.domain.model import Image, Location
from appliance.nodes.neighbours import Neighbours

PATH = "/nodes/images/"
"""Followed by the slug. 204 says that nothing is left there, 409 that something is still in use."""


class NeighbourErasing:
    """Has the other nodes erase what they have of an image."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def erase(self, image: Image) -> bool:
        """Whether every node that is alive has erased it, and so has the one whose spool had the original."""
        names = {node.name for node in await self._neighbours.others()}
        if image.location is Location.SPOOL and image.node not in (None, self._neighbours.name, *names):
            return False
        return all(await asyncio.gather(*(self._erase_on(name, image.slug) for name in names)))

    async def _erase_on(self, node: str, slug: str) -> bool:
        try:
            async with self._neighbours.call(node, "DELETE", PATH + slug) as reply:
                return reply.status == HTTPStatus.NO_CONTENT
        except NodeUnavailable:
            return False
