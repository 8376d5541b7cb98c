"""Rescue: originals that only a lost node had, as their rows say, come back from what the store has of them.

A large upload becomes an image as soon as the store has it in segments, long before its original is shipped. They stay
until then. A smaller one is in the store before its row, which its node may not have corrected before it was lost.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection

from appliance.catalogue import Catalogue
from appliance.domain.clients import THIS_HOST
from appliance.domain.errors import (
    ApplianceError,
    Busy,
    CatalogueUnavailable,
    DiskFull,
    NodeUnavailable,
    Stopping,
    StoreUnavailable,
)
from appliance.domain.model import Image
from appliance.domain.resumable_uploads import Upload, UploadKind, UploadState
from appliance.domain.this_node import ThisNode
from appliance.resumable.among_nodes import AmongNodes
from appliance.resumable.parts import hashes_of_parts
from appliance.spool import Digest, Incoming
from appliance.uploads.committer import Committed, Committer

log = logging.getLogger(__name__)


class OriginalRescue:
    """Gets such originals for this node, which ships them. It has one run at a time."""

    def __init__(
        self, *, catalogue: Catalogue, committer: Committer, among_nodes: AmongNodes, this_node: ThisNode
    ) -> None:
        self._catalogue = catalogue
        self._committer = committer
        self._segments = among_nodes.segments
        self._neighbours = among_nodes.neighbours
        self._this_node = this_node
        self._running = asyncio.Lock()

    async def run(self) -> int:
        """The job. Returns how many originals are here or in the store now. Raises as `from_nodes` does.

        A node that is back meanwhile has the same bytes, and may ship them too.
        """
        return await self.from_nodes(await self._lost_nodes())

    async def from_nodes(self, names: Collection[str]) -> int:
        """Rescue what these nodes had, which are gone. Returns how many originals are here or in the store now.

        Raises StoreUnavailable, Stopping and the catalogue's faults; Busy or DiskFull, once all others are rescued,
        where this node had no room for an original.
        """
        rescued, full = 0, None
        async with self._running:
            async for image in self._unshipped(names):
                try:
                    rescued += await self._rescue(image)
                except (Busy, DiskFull) as fault:
                    full = fault
        if full is not None:
            raise full
        return rescued

    async def _unshipped(self, names: Collection[str]) -> AsyncIterator[Image]:
        for name in names:
            last: Image | None = None
            while images := await self._catalogue.images.unshipped(last, node=name):
                for image in images:
                    yield image
                last = images[-1]

    async def _lost_nodes(self) -> frozenset[str]:
        names = [node.name for node in await self._catalogue.nodes.nodes() if not self._this_node.has(node.name)]
        return frozenset([name for name in names if await self._neighbours.is_lost(name)])

    async def _rescue(self, image: Image) -> bool:
        if await self._committer.note_stored(image):
            log.info("the store has an original of the node %s", image.node, extra={"slug": image.slug})
            return True
        upload = await self._catalogue.uploads.by_slug(image.slug)
        if upload is None or upload.state in {UploadState.RECEIVING, UploadState.REFUSED} or upload.length is None:
            return False
        names = _segmented(upload)
        if not names or sum([await self._segments.stored_bytes(name) for name in names]) != upload.length:
            return False
        try:
            committed = await self._committed(image, upload, names, upload.length)
        except (CatalogueUnavailable, StoreUnavailable, Busy, DiskFull, Stopping):
            raise
        except ApplianceError as fault:
            log.warning("a lost original can't be rescued: %s", fault.detail, extra={"slug": image.slug})
            return False
        log.info("an original of the node %s was rescued", image.node, extra={"slug": image.slug})
        await self._committer.prewarm_and_ship(committed, THIS_HOST)
        return True

    async def _committed(self, image: Image, upload: Upload, names: list[str], length: int) -> Committed:
        """Raises as `Committer.commit_again`, NodeUnavailable where the segments become something else."""
        path = await self._segments.join(*names)
        try:
            digest = Digest()
            await asyncio.to_thread(digest.catch_up, path, lambda: length)
            incoming = Incoming(image.slug, path, length, digest)
            return await self._committer.commit_again(
                incoming, image, upload.keep_metadata, THIS_HOST, NodeUnavailable()
            )
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _segmented(upload: Upload) -> list[str]:
    """The uploads whose segments, one after the other, are the file; none if that isn't known any more."""
    if upload.kind is not UploadKind.FINAL:
        return [upload.id_hash]
    if not upload.concat:  # an older release gave it up
        return []
    return hashes_of_parts(upload)
