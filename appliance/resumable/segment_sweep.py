"""The segment sweep: the store keeps no segments that nobody needs, also once several nodes have become one server."""

from appliance.catalogue import Catalogue, ImageCatalogue, UploadCatalogue
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.model import Image, Location
from appliance.domain.resumable_uploads import Upload, UploadKind, UploadState
from appliance.domain.this_node import ThisNode
from appliance.resumable.parts import needed_parts
from appliance.resumable.segments import Segments

ABANDONED_S = 7 * DAY_S
"""A server that is alone writes no segments. Younger ones may be those of nodes that share its store by mistake."""
SILENT_S = DAY_S
"""A node that was silent for this long asks the store again what that has of an upload, before it relies on it."""


class SegmentSweep:
    """Removes segments of uploads that were given up unfinished, or refused, or whose image needs none.

    Overdue ones are given up by their nodes, which alone know whether all bytes came or a client continues.
    """

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
        uploads, images = self._catalogue.uploads, self._catalogue.images
        row = await uploads.get(id_hash)
        if row is not None and await self._is_abandoned(row):
            return id_hash in await needed_parts(uploads)
        return await is_needed(id_hash, row, uploads, images)

    async def _is_abandoned(self, upload: Upload) -> bool:
        """Whether it is overdue at a node that was silent for long, or is forgotten: nobody can continue it there."""
        is_overdue = upload.state is UploadState.RECEIVING and upload.expires_s < self._clock()
        if not is_overdue or self._this_node.has(upload.node):
            return False
        nodes = [node for node in await self._catalogue.nodes.nodes() if node.name == upload.node]
        return all(node.silent_s >= SILENT_S for node in nodes)


async def is_needed(id_hash: str, upload: Upload | None, uploads: UploadCatalogue, images: ImageCatalogue) -> bool:
    """Whether it is unfinished, or a node alone has the original of its image, which may still be restored.

    `upload` is its row, None once that is forgotten. A part is needed by what is assembled from it, however it ended.
    One that was given up after it became an image is needed as long, because that stays. Raises the catalogue's faults.
    """
    if upload is not None and upload.state is UploadState.RECEIVING:
        return True
    if upload is None or upload.kind is UploadKind.PARTIAL:
        return id_hash in await needed_parts(uploads)
    if upload.slug is None:
        return False
    image = await images.get(upload.slug)
    return isinstance(image, Image) and image.location is Location.SPOOL
