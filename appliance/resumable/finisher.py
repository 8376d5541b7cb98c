"""Finishing: an upload whose bytes are all here becomes an image, or is refused; whoever waits for it is told.

It is a task of its own, for it goes on when the client is gone. Nothing of it is recorded before its end: that all
bytes are here can be seen from row and file, so that after a crash, or a fault that passes, it simply begins again.
"""

import asyncio
import contextlib
import logging
from weakref import WeakValueDictionary

from appliance.catalogue import UploadCatalogue
from appliance.domain import tokens
from appliance.domain.clients import Client
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import (
    ApplianceError,
    Conflict,
    EmptyUpload,
    IncompleteUpload,
    NotAnImage,
    PartsUnfinished,
    TooLarge,
    UnreadableImage,
    UnsupportedFormat,
)
from appliance.domain.model import Upload, UploadKind, UploadState
from appliance.observability.metrics import Metrics
from appliance.resumable.part_reservations import Claims
from appliance.resumable.progress import part_ids, refusal_of
from appliance.resumable.unfinished import UnfinishedUploads
from appliance.resumable.upload_lock import Turns
from appliance.spool import Digest, Incoming, Spool
from appliance.uploads.committer import Committed, Committer

KEPT_S = DAY_S  # what became of an upload can be asked for so long
REFUSALS = (
    EmptyUpload,
    IncompleteUpload,
    NotAnImage,
    TooLarge,
    UnreadableImage,
    UnsupportedFormat,
)

log = logging.getLogger(__name__)


class Finisher:
    """Turns complete uploads into images, each once at a time."""

    def __init__(
        self,
        *,
        catalogue: UploadCatalogue,
        spool: Spool,
        committer: Committer,
        turns: Turns,
        claims: Claims,
        unfinished: UnfinishedUploads,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._spool = spool
        self._committer = committer
        self._turns = turns
        self._claims = claims
        self._unfinished = unfinished
        self._metrics = metrics
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._watched: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    def is_at(self, id_hash: str) -> bool:
        return id_hash in self._tasks

    def begin(self, upload: Upload) -> asyncio.Task[None]:
        """The task that finishes the upload. It raises faults that will pass; a refusal stands in the row."""
        task = self._tasks.get(upload.id_hash)
        if task is None:
            task = self._tasks[upload.id_hash] = asyncio.create_task(self._finish(upload))
            task.add_done_callback(lambda done: self._ended(upload, done))
        return task

    def _ended(self, upload: Upload, task: asyncio.Task[None]) -> None:
        self._tasks.pop(upload.id_hash, None)
        self.tell(upload)
        fault = None if task.cancelled() else task.exception()
        if isinstance(fault, ApplianceError):
            log.warning("an upload can't be finished yet: %s", fault.detail, extra={"slug": upload.slug})
        elif fault is not None:
            log.error("an upload could not be finished", exc_info=fault, extra={"slug": upload.slug})

    async def stop(self) -> None:
        """End at once; what is not finished begins again after the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake_all(self) -> None:
        """The server stops: nobody is to wait any longer."""
        for event in list(self._watched.values()):
            event.set()

    async def until_ended(self, slug: str, timeout_s: float) -> None:
        """Wait until the upload behind a link has ended somehow, the time is over, or the server stops."""
        event = self._watched.setdefault(slug, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await event.wait()

    async def _finish(self, upload: Upload) -> None:
        client = self._unfinished.client_of(upload.id_hash)
        row = await self._catalogue.get(upload.id_hash)
        if row is None or row.state is not UploadState.RECEIVING:  # who asked for it had an older row in hand
            return
        try:
            committed = await self._verdict(row, client)
        except REFUSALS as fault:
            await self._refuse(upload, fault)
        except Conflict:  # it was given up meanwhile
            await self._clear(upload)
        else:
            self._metrics.uploads.labels("accepted").inc()
            self._metrics.upload_bytes.inc(committed.image.bytes)
            await self._drop_parts(upload)
            await self._clear(upload)
            self.tell(upload)
            await self._committer.send_off(committed, client)

    def tell(self, upload: Upload) -> None:
        """Whoever waits for this upload's end looks again."""
        if upload.slug is not None and (event := self._watched.get(upload.slug)) is not None:
            event.set()

    async def _verdict(self, upload: Upload, client: Client) -> Committed:
        assert upload.slug is not None, "a partial upload becomes no image"
        assert upload.length is not None, "an upload of unknown length is not complete"
        files, name = self._spool.uploads, upload.id_hash
        digest = self._turns.of(name).digest
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
        parts = [tokens.hash_secret(part) for part in part_ids(upload.concat)]
        try:
            self._claims.take(parts, upload.id_hash)  # after a restart nobody has them
            await self._spool.uploads.concatenate(upload.id_hash, parts, upload.length)
        except (FileNotFoundError, PartsUnfinished) as fault:
            raise IncompleteUpload("Part of this upload is missing. Upload the file again.") from fault

    async def _refuse(self, upload: Upload, fault: ApplianceError) -> None:
        now_s = int(self._clock())
        await self._catalogue.refuse(upload, refusal_of(fault), now_s=now_s, kept_until_s=now_s + KEPT_S)
        self._metrics.uploads.labels(fault.code).inc()
        await self._clear(upload)

    async def _drop_parts(self, upload: Upload) -> None:
        """Parts have no use any more. Best effort: those that stay are given up in time."""
        if upload.kind is not UploadKind.FINAL:
            return
        until_s = int(self._clock()) + KEPT_S
        for part in dict.fromkeys(part_ids(upload.concat)):
            row = await self._catalogue.get(tokens.hash_secret(part))
            if row is not None and row.kind is UploadKind.PARTIAL:
                await self._catalogue.give_up(row, now_s=int(self._clock()), kept_until_s=until_s)
                await self._clear(row)

    async def _clear(self, upload: Upload) -> None:
        await self._spool.uploads.remove(upload.id_hash)
        self._claims.release(upload.id_hash)
        self._unfinished.end(upload.id_hash)
        self._turns.drop(upload.id_hash)
