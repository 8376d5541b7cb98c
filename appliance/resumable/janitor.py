"""Housekeeping of resumable uploads that no request works on: finishing, expiring and forgetting them."""

import logging

from appliance.catalogue import Catalogue
from appliance.domain.clock import Clock
from appliance.domain.resumable_uploads import Upload, UploadState
from appliance.domain.this_node import ThisNode
from appliance.resumable.parts import needed_parts
from appliance.resumable.service import ResumableUploads
from appliance.spool import Spool

BATCH = 500

log = logging.getLogger(__name__)


class UploadJanitor:
    """Finishes, expires and forgets uploads. Its jobs are driven by rows and files, and may run at any time."""

    def __init__(
        self, *, resumable: ResumableUploads, catalogue: Catalogue, spool: Spool, this_node: ThisNode, clock: Clock
    ) -> None:
        self._resumable = resumable
        self._catalogue = catalogue
        self._spool = spool
        self._this_node = this_node
        self._clock = clock

    async def recover(self) -> None:
        """Move back files that a crash left landed without a row. Call it at start-up, before such files are swept."""
        await self._spool.uploads.start()
        for slug in await self._spool.landed_slugs():
            if await self._catalogue.images.get(slug) is None and (
                upload := await self._catalogue.uploads.by_slug(slug)
            ):
                await self._spool.take_back(slug, self._spool.uploads.path(upload.id_hash), upload.length)

    async def run(self) -> int:
        """Finish this node's complete uploads, give up its overdue ones and those of no node, and forget old ones.

        Returns how many were given up. Those of another node may be complete there, whether it is alive or not, until
        that node is forgotten.
        """
        await self.finish_complete()
        given_up = await self._give_up_overdue()
        while await self._catalogue.uploads.forget(int(self._clock())):
            pass
        if given_up:
            log.info("expired %d unfinished uploads", given_up)
        return given_up

    async def finish_complete(self) -> None:
        """Finish complete uploads that no request waits for, and remove files of no active upload of this node.

        Of the others the store gets what it lacks.
        """
        for name in await self._spool.uploads.names():
            if self._resumable.locks.is_in_use(name) or self._resumable.finisher.is_finishing(name):
                continue
            upload = await self._catalogue.uploads.get(name)
            if upload is None or upload.state is not UploadState.RECEIVING or self._this_node.lacks(upload.node):
                await self._drop(name, upload)
            elif self._resumable.lookup.is_complete(upload):
                self._resumable.finisher.begin(upload)
            elif self._resumable.writer is not None:
                self._resumable.writer.follow(upload)

    async def _drop(self, name: str, upload: Upload | None) -> None:
        """Remove the file of an upload that has ended, or that another node took over."""
        if upload is not None and self._resumable.writer is not None:
            self._resumable.writer.end(upload)
        self._resumable.locks.drop(name)
        await self._spool.uploads.remove(name)

    async def _give_up_overdue(self) -> int:
        now_s, after_s, given_up = int(self._clock()), 0, 0
        node = self._this_node.name
        while uploads := await self._catalogue.uploads.due(now_s, node=node, after_s=after_s, limit=BATCH):
            needed = await needed_parts(self._catalogue.uploads)
            for upload in uploads:
                if upload.id_hash not in needed:  # a part that is wanted from here on isn't overdue any more
                    given_up += await self._expire(upload)
            after_s = uploads[-1].expires_s
        return given_up

    async def _expire(self, upload: Upload) -> bool:
        """Whether it was given up: not while a request works on it, or all its bytes are here."""
        is_elsewhere = self._this_node.lacks(upload.node)
        if not is_elsewhere and self._is_busy(upload):
            return False
        return await self._resumable.withdrawals.expire(upload, is_link_known=is_elsewhere)

    def _is_busy(self, upload: Upload) -> bool:
        return self._resumable.locks.is_in_use(upload.id_hash) or self._resumable.lookup.is_complete(upload)
