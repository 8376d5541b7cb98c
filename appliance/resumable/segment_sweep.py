"""The segment sweep: the store keeps no segments that nobody needs, also once several nodes have become one server."""

from appliance.catalogue import Catalogue, ImageCatalogue
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.model import Image, Location
from appliance.domain.resumable_uploads import Upload, UploadState
from appliance.domain.this_node import ThisNode
from appliance.resumable.segments import Segments

ABANDONED_S = 7 * DAY_S
"""A server that is alone writes no segments. Younger ones may be those of nodes that share its store by mistake."""


class SegmentSweep:
    """Removes segments of uploads that expired, were given up unfinished, or refused, or whose image needs none."""

    def __init__(self, segments: Segments, *, catalogue: Catalogue, this_node: ThisNode, clock: Clock) -> None:
        self._segments = segments
        self._catalogue = catalogue
        self._this_node = this_node
        self._clock = clock

    async def run(self) -> int:
        """The job. Returns of how many uploads, on whatever node they were. Raises StoreUnavailable."""
        removed, is_alone = 0, self._this_node.name is None
        async for id_hash, written_s in self._segments.uploads():
            is_settled = not is_alone or written_s < self._clock() - ABANDONED_S
            if is_settled and not await self._is_needed(id_hash):
                await self._segments.delete(id_hash)
                removed += 1
        return removed

    async def _is_needed(self, id_hash: str) -> bool:
        row = await self._catalogue.uploads.get(id_hash)
        if row is None or (row.state is UploadState.RECEIVING and row.expires_s < self._clock()):
            return False
        return await is_needed(row, self._catalogue.images)


async def is_needed(upload: Upload, images: ImageCatalogue) -> bool:
    """Whether it is unfinished, or a node alone has the original of its image, which may still be restored.

    One that was given up after it became an image is needed as long, because that stays. Raises the catalogue's faults.
    """
    if upload.state is UploadState.RECEIVING or upload.slug is None:
        return upload.state is UploadState.RECEIVING
    image = await images.get(upload.slug)
    return isinstance(image, Image) and image.location is Location.SPOOL
