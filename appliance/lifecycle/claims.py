"""Claims: which images and uploads have their bytes in this node's spool, as it finds them when it starts.

Rows name the node from their beginning. Those of a server that was alone name none, and a node may have been given
another name, or another's disk.
"""

from collections.abc import Iterator, Sequence

from appliance.catalogue import ImageCatalogue, UploadCatalogue
from appliance.domain.this_node import ThisNode
from appliance.spool import Spool

BATCH = 500


class Claims:
    """Claims what is in the spool, for a node among others."""

    def __init__(self, *, images: ImageCatalogue, uploads: UploadCatalogue, spool: Spool, this_node: ThisNode) -> None:
        self._images = images
        self._uploads = uploads
        self._spool = spool
        self._this_node = this_node

    async def make(self) -> None:
        """Have the rows of all that is in the spool name this node."""
        if (name := self._this_node.name) is None:
            return
        for slugs in _batches(await self._spool.landed_slugs()):
            await self._images.claim(slugs, name)
        for id_hashes in _batches(await self._spool.uploads.names()):
            await self._uploads.claim(id_hashes, name)


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), BATCH):
        yield names[start : start + BATCH]
