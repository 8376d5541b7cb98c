"""Resumable uploads: create, append, ask, terminate. It reads like tus, and nothing here knows HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from appliance.catalogue import Catalogue
from appliance.config.model import Uploads
from appliance.domain import tokens
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError, KeyInvalid, UploadFinishing, UploadPaused
from appliance.domain.resumable_uploads import Upload, UploadKind, UploadState
from appliance.domain.this_node import ThisNode
from appliance.locks import Locksmith
from appliance.observability.metrics import Metrics
from appliance.resumable.among_nodes import AmongNodes
from appliance.resumable.creation import UploadCreator
from appliance.resumable.finisher import UploadFinisher
from appliance.resumable.lookup import UploadLookup
from appliance.resumable.part_reservations import PartReservations
from appliance.resumable.progress import NewUpload, Progress, UploadChunk
from appliance.resumable.receiver import UploadReceiver
from appliance.resumable.rescue import OriginalRescue
from appliance.resumable.takeover import Takeover
from appliance.resumable.unfinished import UnfinishedUploads
from appliance.resumable.upload_lock import UploadLock, UploadLocks
from appliance.resumable.verdicts import UploadVerdicts
from appliance.resumable.withdrawals import Withdrawals
from appliance.spool import Spool, no_room
from appliance.uploads.admission import Admission
from appliance.uploads.committer import Committer

HOUR_S = 3600


class ResumableUploads:
    """Takes uploads in any number of requests.

    A request finds its upload (`lookup`), holds its lock (`locks`), and appends to it (`UploadReceiver`). Once all
    bytes are here, `finisher` makes an image of them, while the request waits for the verdict. `withdrawals` gives up
    what becomes no image.
    """

    def __init__(
        self,
        limits: Uploads,
        *,
        catalogue: Catalogue,
        spool: Spool,
        admission: Admission,
        unfinished: UnfinishedUploads,
        committer: Committer,
        locksmith: Locksmith,
        this_node: ThisNode,
        among_nodes: AmongNodes | None,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._rows = catalogue.uploads
        self._files = spool.uploads
        self.unfinished = unfinished
        idle_s = int(limits.unfinished_hours * HOUR_S)
        self.locks = UploadLocks()
        self.writer = None if among_nodes is None else among_nodes.writer
        self.takeover = self.rescue = None
        if among_nodes is not None:
            self.rescue = OriginalRescue(
                catalogue=catalogue, committer=committer, among_nodes=among_nodes, this_node=this_node
            )
            self.takeover = Takeover(
                rows=catalogue.uploads,
                files=spool.uploads,
                among_nodes=among_nodes,
                locks=self.locks,
                this_node=this_node,
                clock=clock,
            )
        reservations = PartReservations()
        self._creator = UploadCreator(
            idle_s=idle_s,
            rows=catalogue.uploads,
            files=spool.uploads,
            admission=admission,
            locks=self.locks,
            reservations=reservations,
            unfinished=unfinished,
            locksmith=locksmith,
            this_node=this_node,
            takeover=self.takeover,
            clock=clock,
        )
        self.finisher = UploadFinisher(
            catalogue=catalogue.uploads,
            spool=spool,
            committer=committer,
            locks=self.locks,
            reservations=reservations,
            unfinished=unfinished,
            writer=self.writer,
            this_node=this_node,
            metrics=metrics,
            clock=clock,
        )
        self.lookup = UploadLookup(
            catalogue=catalogue, files=spool.uploads, finisher=self.finisher, this_node=this_node, clock=clock
        )
        self._verdicts = UploadVerdicts(
            limits.ack_budget_s, rows=catalogue.uploads, lookup=self.lookup, finisher=self.finisher, this_node=this_node
        )
        self.withdrawals = Withdrawals(
            rows=catalogue.uploads,
            files=spool.uploads,
            lookup=self.lookup,
            locks=self.locks,
            finisher=self.finisher,
            reservations=reservations,
            unfinished=unfinished,
            writer=self.writer,
            clock=clock,
        )
        self._receiver = UploadReceiver(
            rows=catalogue.uploads,
            files=spool.uploads,
            admission=admission,
            lookup=self.lookup,
            unfinished=unfinished,
            writer=self.writer,
            idle_s=idle_s,
            clock=clock,
        )

    def pause(self) -> None:
        """Save what is being received, end its requests, and begin no new ones: the server is about to stop."""
        self._receiver.stop()
        self.locks.request_release_all()
        self.finisher.wake_all()

    async def stop(self) -> None:
        """End what runs. All of it continues after the next start."""
        self.pause()
        self._files.close()
        if self.takeover is not None:
            await self.takeover.close()
        await self.finisher.stop()
        if self.writer is not None:
            await self.writer.close()

    @property
    def waiting_segments(self) -> int:
        """How many segments wait for the store; 0 for a server that is alone."""
        return 0 if self.writer is None else self.writer.waiting

    # --- creating and receiving -----------------------------------------------------------------------------------

    async def create(self, new: NewUpload) -> tuple[str, Progress]:
        """Create an upload; returns its secret id, and how far it is. One made of parts is assembled at once.

        Among nodes the reply to that waits for the image, because clients ask for the parts before they repeat it.

        Raises Draining, TooLarge, EmptyUpload, DiskFull, Busy, InvalidField, InvalidExpiry, MalformedRequest,
        PartsUnfinished, Stopping.
        """
        self._receiver.require_running()
        if new.kind is UploadKind.FINAL:
            upload_id, upload = await self._creator.assemble(new)
            return upload_id, await self._safe(upload_id, upload)
        upload_id, upload = await self._creator.create(new)
        return upload_id, Progress(upload, 0)

    async def create_with(self, new: NewUpload, chunk: UploadChunk) -> tuple[str, Progress]:
        """Create an upload with its first bytes. When they can't be taken nothing is kept, since nobody knows its id.

        Raises as `create` and `append` do.
        """
        upload_id, _ = await self.create(new)
        try:
            return upload_id, await self._safe(upload_id, await self._received(upload_id, 0, chunk))
        except BaseException as fault:
            await asyncio.shield(self._discard(upload_id))
            if isinstance(fault, UploadPaused):
                raise no_room(new.length or chunk.announced_bytes) from fault
            raise

    async def append(self, upload_id: str, offset: int, chunk: UploadChunk) -> Progress:
        """Append bytes. Whatever arrives before the stream breaks off is kept, unless it has a checksum.

        Raises UnknownUpload, GoneUpload, FinalUpload, OffsetMismatch, TooLarge, ChecksumMismatch, Busy, Stopping,
        Draining, UploadLocked, UploadPaused when the disk takes no more, DiskFull when it can't keep a complete
        upload, the refusal when these were the last bytes and are no image, and whatever the stream raises. For an open
        upload also CompletedUpload, InconsistentLength and EmptyUpload. Among nodes as `Takeover.require_here` does,
        and UploadFinishing as long as the image of these last bytes isn't safe; of an open upload that is waited for.
        KeyInvalid once the key has ended with which the upload was created, which is given up then.
        """
        received = await self._received(upload_id, offset, chunk)
        return await (self._safe(upload_id, received) if chunk.is_last else self._verdicts.on(received))

    async def _received(self, upload_id: str, offset: int, chunk: UploadChunk) -> Upload:
        """The upload after the chunk was appended. The client of an open one may forget what the reply counts."""
        self._receiver.require_open()  # before a running request is interrupted for one that is refused
        async with self._locked(upload_id) as (lock, upload):
            try:
                received = await self._receiver.receive(lock, upload, offset, chunk)
            except KeyInvalid:  # the key has ended with which it was created
                await self.withdrawals.give_up(upload)
                raise
        if received.is_open:
            await self._flush(received)
        return received

    async def _safe(self, upload_id: str, upload: Upload) -> Progress:
        """How far the upload is. One whose bytes are all here is waited for among nodes. Raises as `settled` does."""
        try:
            return await self._verdicts.on(upload)
        except UploadFinishing:
            return await self.settled(upload_id)

    async def _flush(self, upload: Upload) -> None:
        """Among nodes, have the store get what a reply counts of an unfinished upload."""
        if self.writer is not None and upload.state is UploadState.RECEIVING and not self.lookup.is_complete(upload):
            await self.writer.flush(upload)

    # --- asking ---------------------------------------------------------------------------------------------------

    async def head(self, upload_id: str) -> Progress:
        """How far the upload is, once a request that receives for it has saved what came.

        Raises UnknownUpload, GoneUpload, UploadLocked, the refusal of one that became no image, and among nodes
        UploadFinishing, and as `Takeover.require_here` does.
        """
        async with self._locked(upload_id) as (_, upload):
            pass
        await self._flush(upload)
        return await self._verdicts.on(upload)

    async def state(self, upload_id: str) -> Progress:
        """How far the upload is, without interrupting a request that receives. Raises UnknownUpload, GoneUpload."""
        return await self.lookup.progress(await self.lookup.by_id(upload_id))

    async def pending(self, slug: str) -> Progress | None:
        """How far the unfinished upload behind an image's link is; None when there is none.

        Raises GoneImage for one that was given up or refused.
        """
        upload = await self.lookup.by_slug(slug)
        return None if upload is None else await self.lookup.progress(upload)

    async def settled(self, upload_id: str) -> Progress:
        """How far the upload is; for one whose bytes are all here, once it is an image, however long that takes.

        Raises as `head` does except for UploadFinishing, and Stopping.
        """
        while True:
            with contextlib.suppress(UploadFinishing):
                progress = await self.head(upload_id)
                if progress.state != "processing":
                    return progress
            self._receiver.require_running()

    async def complete_part(self, id_hash: str, length: int) -> Path | None:
        """The file of a partial upload that continues; None unless it is here with `length` bytes."""
        part = await self._rows.get(id_hash)
        if part is None or part.kind is not UploadKind.PARTIAL or part.state is not UploadState.RECEIVING:
            return None
        return self._files.path(id_hash) if self._files.offset(id_hash) == length else None

    # --- ending ---------------------------------------------------------------------------------------------------

    async def terminate(self, upload_id: str) -> None:
        """Give the upload up. An image that it became already stays. Raises UnknownUpload, GoneUpload, UploadLocked."""
        async with self._locked(upload_id) as (_, upload):
            await self.withdrawals.give_up(upload)

    async def _discard(self, upload_id: str) -> None:
        with contextlib.suppress(ApplianceError):  # what can't be given up now expires
            await self.terminate(upload_id)

    # --- what they share ------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _locked(self, upload_id: str) -> AsyncIterator[tuple[UploadLock, Upload]]:
        row = await self.lookup.row(upload_id)  # first: guessed ids must not evict the locks of real uploads
        if self.takeover is not None:
            await self.takeover.require_here(row)
        lock = self.locks.of(tokens.hash_secret(upload_id))
        async with lock.held():
            yield lock, await self.lookup.by_id(upload_id)
