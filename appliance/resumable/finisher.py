"""Finishing: an upload whose bytes are all here becomes an image or is refused, and those who wait are notified.

Each upload is finished in a task of its own, which continues when the client is gone. Nothing is recorded before the
end: row and file show that all bytes are here, so after a crash or a temporary fault finishing starts again.
"""

import asyncio
import contextlib
import logging
from weakref import WeakValueDictionary

from appliance.catalogue import UploadCatalogue
from appliance.domain.clients import Client
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import (
    ApplianceError,
    Banned,
    BudgetSpent,
    Conflict,
    EmptyUpload,
    GoneInvite,
    IncompleteUpload,
    InvalidExpiry,
    InviteFull,
    KeyInvalid,
    KeyUsedUp,
    NotAnImage,
    PartsUnfinished,
    TooLarge,
    UnknownInvite,
    UnreadableImage,
    UnsupportedFormat,
)
from appliance.domain.resumable_uploads import Upload, UploadKind, UploadState
from appliance.domain.this_node import ThisNode
from appliance.lifecycle.ship_queue import LARGE_BYTES
from appliance.observability.metrics import Metrics
from appliance.resumable.part_reservations import PartReservations
from appliance.resumable.parts import hashes_of_parts, rows_of_parts
from appliance.resumable.progress import refusal_of
from appliance.resumable.segment_writer import SegmentWriter
from appliance.resumable.unfinished import UnfinishedUploads
from appliance.resumable.upload_lock import UploadLocks
from appliance.shared.single_flight import SingleFlight
from appliance.spool import Digest, Incoming, Spool
from appliance.uploads.committer import Committed, Committer

KEPT_S = DAY_S  # how long the outcome of an upload can be asked for
LOOK_AGAIN_S = 10.0  # at an original that couldn't be shipped
REFUSALS = (
    BudgetSpent,
    EmptyUpload,
    GoneInvite,
    IncompleteUpload,
    InvalidExpiry,
    InviteFull,
    KeyInvalid,
    KeyUsedUp,
    NotAnImage,
    TooLarge,
    UnknownInvite,
    UnreadableImage,
    UnsupportedFormat,
)

log = logging.getLogger(__name__)


class UploadFinisher:
    """Makes images of complete uploads. An upload has one task at a time."""

    def __init__(
        self,
        *,
        catalogue: UploadCatalogue,
        spool: Spool,
        committer: Committer,
        locks: UploadLocks,
        reservations: PartReservations,
        unfinished: UnfinishedUploads,
        writer: SegmentWriter | None,
        this_node: ThisNode,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._spool = spool
        self._committer = committer
        self._locks = locks
        self._reservations = reservations
        self._unfinished = unfinished
        self._writer = writer
        self._this_node = this_node
        self._metrics = metrics
        self._clock = clock
        self._flights: SingleFlight[str, None] = SingleFlight()
        self._watched: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()
        self._shipping: set[asyncio.Task[None]] = set()

    def is_finishing(self, id_hash: str) -> bool:
        """Whether the upload is being made an image."""
        return id_hash in self._flights

    def begin(self, upload: Upload) -> asyncio.Task[None]:
        """The task that finishes the upload. It raises temporary faults; a refusal is recorded in the row.

        Raises Stopping.
        """
        return self._flights.start(upload.id_hash, lambda _: self._finish_or_log(upload))

    async def finish_within(self, upload: Upload, timeout_s: float) -> None:
        """Finish the upload, and wait for that at most `timeout_s`. Raises as the task of `begin` does."""
        finishing = self.begin(upload)
        done, _ = await asyncio.wait([finishing], timeout=timeout_s)
        if done and not finishing.cancelled():
            finishing.result()

    async def stop(self) -> None:
        """End at once. What is not finished starts again after the next start of the server."""
        await self._flights.close()
        for task in self._shipping:
            task.cancel()
        await asyncio.gather(*self._shipping, return_exceptions=True)

    async def _finish_or_log(self, upload: Upload) -> None:
        """Finish, and log what goes wrong, since the clients may be gone."""
        try:
            await self._finish(upload)
        except Banned:
            raise
        except ApplianceError as fault:
            log.warning("an upload can't be finished yet: %s", fault.detail, extra={"slug": upload.slug})
            raise
        except Exception:
            log.exception("an upload could not be finished", extra={"slug": upload.slug})
            raise
        finally:
            self.notify(upload)

    def wake_all(self) -> None:
        """End every wait for an upload's end: the server is about to stop."""
        for event in list(self._watched.values()):
            event.set()

    async def until_ended(self, slug: str, timeout_s: float) -> None:
        """Wait until the upload of an image has ended, `timeout_s` is over, or the server is about to stop."""
        event = self._watched.setdefault(slug, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await event.wait()

    async def _finish(self, upload: Upload) -> None:
        client = self._unfinished.client_of(upload)
        row = await self._catalogue.get(upload.id_hash)
        if row is None or row.state is not UploadState.RECEIVING:  # the caller had an older row
            if row is not None and row.state is UploadState.GONE:
                await self._clean_up_ended(upload)
            return
        if self._this_node.lacks(row.node):  # another node took it over
            await self._clean_up(row)
            return
        if self._writer is not None:
            await self._complete_segments(row, self._writer)
            self._writer.leave(row.id_hash)  # the file is about to change
        try:
            committed = await self._commit(row, client)
        except REFUSALS as fault:
            await self._refuse(upload, fault)
        except Banned:
            await self._give_up(upload)
            raise
        except Conflict:  # it was given up or taken over meanwhile
            await self._clean_up_ended(upload)
        else:
            self._metrics.uploads.labels("accepted").inc()
            self._metrics.upload_bytes.inc(committed.image.bytes)
            is_stored = self._committer.is_put_ahead(committed)
            is_awaited = not is_stored and self._committer.is_being_stored(committed.image)
            await self._clean_up_here(upload)
            if is_awaited:
                task = asyncio.create_task(self._drop_segments_once_shipped(upload, committed))
                self._shipping.add(task)
                task.add_done_callback(self._shipping.discard)
            else:
                await self._drop_segments(upload, is_stored=is_stored)
            self.notify(upload)
            await self._committer.prewarm_and_ship(committed, client)

    async def _complete_segments(self, upload: Upload, writer: SegmentWriter) -> None:
        """Have the store get all of a large upload, before a row says that it is an image: it isn't put ahead.

        Raises as `SegmentWriter.complete`.
        """
        if upload.length is None or upload.length <= LARGE_BYTES:
            return
        for one in await rows_of_parts(self._catalogue, upload) if upload.kind is UploadKind.FINAL else [upload]:
            await writer.complete(one)

    async def _drop_segments_once_shipped(self, upload: Upload, committed: Committed) -> None:
        """Until the store has the original, its segments are what survives this node.

        After a restart, the sweep drops them, and their parts expire.
        """
        while True:
            with contextlib.suppress(ApplianceError):
                if await self._committer.is_shipped(committed):
                    await self._drop_segments(upload, is_stored=False)
                    return
            await asyncio.sleep(LOOK_AGAIN_S)

    def notify(self, upload: Upload) -> None:
        """Wake those who wait for the end of this upload."""
        if upload.slug is not None and (event := self._watched.get(upload.slug)) is not None:
            event.set()

    async def _commit(self, upload: Upload, client: Client) -> Committed:
        assert upload.slug is not None, "a partial upload becomes no image"
        assert upload.length is not None, "an upload of unknown length is not complete"
        files, name = self._spool.uploads, upload.id_hash
        digest = self._locks.of(name).digest
        if files.offset(name) != upload.length:
            await self._concatenate(upload)
            digest = Digest()
        await files.catch_up(name, digest)
        if digest.bytes != upload.length:
            raise IncompleteUpload("Part of this upload was lost. Upload the file again.")
        incoming = Incoming(upload.slug, files.path(name), upload.length, digest)
        return await self._committer.commit_upload(incoming, upload, int(self._clock()) + KEPT_S, client)

    async def _concatenate(self, upload: Upload) -> None:
        if upload.kind is not UploadKind.FINAL or upload.length is None:
            raise IncompleteUpload("Part of this upload was lost. Upload the file again.")
        parts = hashes_of_parts(upload)
        try:
            self._reservations.reserve(parts, upload.id_hash)  # a restart forgets reservations
            await self._spool.uploads.concatenate(upload.id_hash, parts, upload.length)
        except (FileNotFoundError, PartsUnfinished) as fault:
            raise IncompleteUpload("Part of this upload is missing. Upload the file again.") from fault

    async def _refuse(self, upload: Upload, fault: ApplianceError) -> None:
        now_s = int(self._clock())
        await self._catalogue.refuse(upload, refusal_of(fault), now_s=now_s, kept_until_s=now_s + KEPT_S)
        self._metrics.uploads.labels(fault.code).inc()
        if not isinstance(fault, IncompleteUpload):  # another upload may have its parts
            await self.drop_parts(upload)
        await self._clean_up(upload)

    async def _give_up(self, upload: Upload) -> None:
        now_s = int(self._clock())
        await self._catalogue.give_up(upload, now_s=now_s, kept_until_s=now_s + KEPT_S, for_good=True)
        self._metrics.uploads.labels(Banned.code).inc()
        await self._clean_up(upload)

    async def _clean_up_ended(self, upload: Upload) -> None:
        """Clean up here what was given up, parts included, or what another node has now.

        A row that still lists its parts was an image before it ended, and may yet need them.
        """
        row = await self._catalogue.get(upload.id_hash)
        if row is None or (row.state is UploadState.GONE and not row.concat):
            await self.drop_parts(upload)
        await self._clean_up(upload)

    async def _drop_segments(self, upload: Upload, *, is_stored: bool) -> None:
        """Drop what the store has of an upload that is an image, and the parts of a final one."""
        await self.drop_parts(upload, is_stored=is_stored)
        self._reservations.release(upload.id_hash)
        if self._writer is not None:
            self._writer.end(upload, is_stored=is_stored)

    async def drop_parts(self, upload: Upload, *, is_stored: bool = False) -> None:
        """Give up the parts of a final upload that has ended, but for those that another one is assembled from.

        What the store has of them stays while a node alone has the original of its image, as `SegmentWriter.end` has
        it. Best effort: those that are left expire. Raises nothing.
        """
        until_s = int(self._clock()) + KEPT_S
        try:
            for part in await rows_of_parts(self._catalogue, upload):
                if self._reservations.is_for_another(part.id_hash, upload.id_hash):
                    continue
                await self._catalogue.give_up(part, now_s=int(self._clock()), kept_until_s=until_s)
                await self._clean_up(part, is_stored=is_stored)
        except ApplianceError as fault:
            log.warning("the parts of an upload that has ended are left until they expire: %s", fault.detail)

    async def _clean_up(self, upload: Upload, *, is_stored: bool = False) -> None:
        if self._writer is not None:
            self._writer.end(upload, is_stored=is_stored)
        self._reservations.release(upload.id_hash)
        await self._clean_up_here(upload)

    async def _clean_up_here(self, upload: Upload) -> None:
        await self._spool.uploads.remove(upload.id_hash)
        self._unfinished.end(upload.id_hash)
        self._locks.drop(upload.id_hash)
        await self._committer.withdraw(upload)
