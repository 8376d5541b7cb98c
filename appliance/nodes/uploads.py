"""Partial uploads on another node, which are brought here to be assembled."""

from appliance.domain.resumable_uploads import Upload
from appliance.nodes.neighbours import Neighbours
from appliance.nodes.originals import UNFINISHED
from appliance.nodes.reading import copy, open_on
from appliance.spool import Spool

PATH = "/nodes/uploads/"
"""Followed by the hash of the upload's id, and a query with its `length`."""


class NeighbourUploads:
    """Brings complete uploads to this node's spool."""

    def __init__(self, neighbours: Neighbours, spool: Spool) -> None:
        self._neighbours = neighbours
        self._spool = spool

    async def bring(self, upload: Upload, length: int) -> None:
        """Copy the bytes of an upload that has `length` of them.

        Raises DiskFull, NodeUnavailable, and ObjectMissing if its node has fewer.
        """
        to, name = self._spool.uploads.path(upload.id_hash), f"{upload.id_hash}{UNFINISHED}"
        async with self._spool.room_for(length):
            reader = await open_on(self._neighbours, upload.node or "", f"{PATH}{upload.id_hash}?length={length}")
            await copy(reader, self._spool.copy_path(name), to)
