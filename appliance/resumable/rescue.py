"""Rescue: originals that only a lost node had come back from the segments of the uploads that they were.

A large upload becomes an image as soon as the store has it in segments, long before its original is shipped. They stay
until then.
"""

import asyncio
import logging

from appliance.catalogue import Catalogue
from appliance.domain import tokens
from appliance.domain.clients import THIS_HOST
from appliance.domain.errors import ApplianceError, CatalogueUnavailable, NodeUnavailable, StoreUnavailable
from appliance.domain.model import Image
from appliance.domain.resumable_uploads import Upload, UploadKind, UploadState
from appliance.domain.this_node import ThisNode
from appliance.resumable.among_nodes import AmongNodes
from appliance.resumable.progress import part_ids
from appliance.spool import Digest, Incoming
from appliance.uploads.committer import Committed, Committer

log = logging.getLogger(__name__)


class OriginalRescue:
    """Gets such originals for this node, which ships them."""

    def __init__(
        self, *, catalogue: Catalogue, committer: Committer, among_nodes: AmongNodes, this_node: ThisNode
    ) -> None:
        self._catalogue = catalogue
        self._committer = committer
        self._segments = among_nodes.segments
        self._neighbours = among_nodes.neighbours
        self._this_node = this_node

    async def run(self) -> int:
        """The job. Returns how many originals are here now. Raises StoreUnavailable and the catalogue's faults.

        A node that is back meanwhile has the same bytes, and may ship them too.
        """
        rescued, after, lost = 0, "", await self._lost_nodes()
        while lost and (images := await self._catalogue.images.unshipped(after)):
            for image in images:
                rescued += image.node in lost and await self._rescue(image)
            after = images[-1].slug
        return rescued

    async def _lost_nodes(self) -> frozenset[str]:
        names = [node.name for node in await self._catalogue.nodes.nodes() if not self._this_node.has(node.name)]
        return frozenset([name for name in names if await self._neighbours.is_lost(name)])

    async def _rescue(self, image: Image) -> bool:
        upload = await self._catalogue.uploads.by_slug(image.slug)
        if upload is None or upload.state is not UploadState.DONE or upload.length is None:
            return False
        names = _segmented(upload)
        if sum([await self._segments.stored_bytes(name) for name in names]) != upload.length:
            return False
        try:
            committed = await self._committed(image, upload, names, upload.length)
        except (CatalogueUnavailable, StoreUnavailable):
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
    """The uploads whose segments, one after the other, are the file."""
    if upload.kind is not UploadKind.FINAL:
        return [upload.id_hash]
    return [tokens.hash_secret(part) for part in part_ids(upload.concat)]
