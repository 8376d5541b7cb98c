"""Originals in the spool of another node: read from there, or copied to this disk."""

from pathlib import Path

from appliance.domain.model import Image
from appliance.nodes.neighbours import Neighbours
from appliance.nodes.reading import NodeReader, copy, open_on

PATH = "/nodes/originals/"
"""Followed by the slug, and a query with `sha256`, `start` and `length`."""
UNFINISHED = ".fetching"


class NeighbourOriginals:
    """Reads originals where their rows say that they are."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def open(self, image: Image, start: int, length: int) -> NodeReader:
        """`length` bytes of the row's original from `start`. Raises as `open_on` does."""
        path = f"{PATH}{image.slug}?sha256={image.sha256}&start={start}&length={length}"
        return await open_on(self._neighbours, image.node or "", path)

    async def fetch(self, image: Image, to: Path) -> None:
        """Copy the row's original to a path where there is none. Raises as `open_on` and `copy` do."""
        reader = await self.open(image, 0, image.bytes)
        await copy(reader, to.with_name(to.name + UNFINISHED), to, image.sha256)
