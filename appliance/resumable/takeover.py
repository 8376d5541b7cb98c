"""Takeover: an upload whose node is lost continues on this one, from what the store has of it.

The row says whose the upload is, and one change of it makes it this node's. What the store has is fetched before, so
that no node owns what it doesn't have. The former node, should it come back, drops its bytes.
"""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from appliance.catalogue import UploadCatalogue
from appliance.domain.clock import Clock
from appliance.domain.errors import ObjectMissing, PartsUnfinished, UploadMoving
from appliance.domain.resumable_uploads import Upload, UploadKind, UploadState
from appliance.domain.this_node import ThisNode
from appliance.resumable.among_nodes import AmongNodes
from appliance.resumable.parts import hashes_of_parts
from appliance.resumable.upload_lock import UploadLocks
from appliance.shared import files
from appliance.shared.single_flight import SingleFlight
from appliance.spool.resumed import UploadFiles

WAIT_S = 2.5
"""How long a request waits for what is fetched; it continues without the request."""

log = logging.getLogger(__name__)


class Takeover:
    """Has uploads here that are asked to continue here."""

    def __init__(
        self,
        *,
        rows: UploadCatalogue,
        files: UploadFiles,
        among_nodes: AmongNodes,
        locks: UploadLocks,
        this_node: ThisNode,
        clock: Clock,
    ) -> None:
        self._rows = rows
        self._files = files
        self._segments = among_nodes.segments
        self._writer = among_nodes.writer
        self._locks = locks
        self._neighbours = among_nodes.neighbours
        self._elsewhere = among_nodes.uploads
        self._this_node = this_node
        self._clock = clock
        self._since_s = int(among_nodes.since_s)
        self._flights: SingleFlight[str, None] = SingleFlight()

    async def close(self) -> None:
        """End what runs; it begins again with the next request."""
        await self._flights.close()

    async def require_here(self, upload: Upload) -> None:
        """Have the upload here, from where it is asked to continue.

        Raises BytesElsewhere while its node is not lost, UploadMoving as long as it takes, StoreUnavailable, DiskFull,
        and for an upload that is assembled PartsUnfinished.
        """
        if upload.state is not UploadState.RECEIVING:
            return
        if self._this_node.has(upload.node):
            if self._has_lost_file(upload):
                await self._wait(upload)
        elif await self._is_lost(upload) and upload.expires_s > self._clock():
            await self._wait(upload)
        else:
            self._this_node.require(upload.node)

    async def bring(self, part: Upload) -> None:
        """Have a part here that is about to be assembled, from its node or, if that is lost, from the store.

        Raises NodeUnavailable, DiskFull, StoreUnavailable, UploadMoving, PartsUnfinished if it isn't complete there.
        """
        if part.length is None:
            raise PartsUnfinished("One of the parts is incomplete. Finish it first.")
        if self._this_node.has(part.node) or await self._is_lost(part):
            await self.require_here(part)
            return
        try:
            async with self._locks.of(part.id_hash).held():  # so that nobody takes the file for one that isn't ours
                await self._elsewhere.bring(part, part.length)
                is_moved = await self._rows.move(part, self._this_node.name or "")
        except ObjectMissing as fault:
            raise PartsUnfinished("One of the parts is incomplete. Finish it first.") from fault
        if not is_moved:
            raise PartsUnfinished("One of the parts is being assembled elsewhere. Try again in a moment.")

    async def bring_all(self, parts: Sequence[Upload]) -> None:
        """Have parts here. Raises as `bring` does."""
        for part in parts:
            await self.bring(part)

    def _has_lost_file(self, upload: Upload) -> bool:
        """Whether the upload is older than this node's data directory, and may have had a file in the one before."""
        return upload.created_s < self._since_s and not self._files.path(upload.id_hash).exists()

    def _is_missing(self, row: Upload) -> bool:
        """Whether this node has yet to get the upload."""
        is_here = self._this_node.has(row.node) and self._files.path(row.id_hash).exists()
        return row.state is UploadState.RECEIVING and not is_here

    async def _is_lost(self, upload: Upload) -> bool:
        return upload.node is not None and await self._neighbours.is_lost(upload.node)

    async def _wait(self, upload: Upload) -> None:
        moving = self._flights.start(upload.id_hash, lambda _: self._move(upload))
        done, _ = await asyncio.wait([moving], timeout=WAIT_S)
        if not done or moving.cancelled():
            raise UploadMoving(retry_after_s=1)
        moving.result()

    async def _move(self, upload: Upload) -> None:
        """Fetch what there is of the upload, and then own it."""
        if upload.kind is UploadKind.FINAL:
            await self._bring_parts(upload)
            return await self._own(upload, None)
        fetched = await self._segments.join(upload.id_hash)
        try:
            await self._own(upload, fetched)
        finally:
            await asyncio.to_thread(fetched.unlink, missing_ok=True)

    async def _bring_parts(self, upload: Upload) -> None:
        """Raises as `bring` does, and PartsUnfinished unless all of them are here and complete."""
        found = [await self._rows.get(part) for part in hashes_of_parts(upload)]
        parts = [part for part in found if part is not None]
        await self.bring_all(parts)
        if len(parts) < len(found) or any(self._files.offset(part.id_hash) != part.length for part in parts):
            raise PartsUnfinished("One of the parts is incomplete. Finish it first.")

    async def _own(self, upload: Upload, fetched: Path | None) -> None:
        """Make the upload this node's with its bytes, unless its node is back or another one was faster.

        The bytes are there before the row says so. After a crash in between they are a file of no upload of this node.
        """
        lock = self._locks.of(upload.id_hash)
        async with lock.held():
            row = await self._rows.get(upload.id_hash)
            if row is None or row.node != upload.node or not self._is_missing(row):  # somebody was faster
                return
            await self._place(upload.id_hash, fetched)
            if not self._this_node.has(row.node) and not await self._rows.take_over(row, self._this_node.name or ""):
                await self._files.remove(upload.id_hash)
                return
            lock.digest.restart()  # it may have followed bytes that this node had once
            self._writer.adopt(row)
        log.info("an upload of the node %s continues here at byte %d", upload.node, self._files.offset(upload.id_hash))

    async def _place(self, id_hash: str, fetched: Path | None) -> None:
        if fetched is None:  # it is assembled
            await self._files.create(id_hash)
        else:
            await asyncio.to_thread(files.rename, fetched, self._files.path(id_hash))
