"""Receiving: bytes are appended to an upload's file, and everything that arrived is kept when a request breaks off."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from appliance.catalogue import UploadCatalogue
from appliance.domain.clock import Clock
from appliance.domain.errors import (
    ApplianceError,
    CompletedUpload,
    DiskFull,
    EmptyUpload,
    FinalUpload,
    GoneUpload,
    InconsistentLength,
    MalformedRequest,
    OffsetMismatch,
    Stopping,
    UploadLocked,
    UploadPaused,
)
from appliance.domain.key_rules import max_file_bytes
from appliance.domain.resumable_uploads import Upload, UploadKind, UploadState
from appliance.resumable.lookup import UploadLookup
from appliance.resumable.progress import UploadChunk, fault_of
from appliance.resumable.segment_writer import SegmentWriter
from appliance.resumable.unfinished import UnfinishedUploads
from appliance.resumable.upload_lock import UploadLock
from appliance.spool import too_large
from appliance.spool.resumed import UploadFiles
from appliance.uploads.admission import Admission, AdmissionRequest, UploadStage

PAUSED_S = 10
EXPIRY_SLACK = 0.1  # of the idle time: an upload's expiry isn't written again for less


class UploadReceiver:
    """Receives the bytes of uploads. `idle_s` is how long an upload lives after its last bytes."""

    def __init__(
        self,
        *,
        rows: UploadCatalogue,
        files: UploadFiles,
        admission: Admission,
        lookup: UploadLookup,
        unfinished: UnfinishedUploads,
        writer: SegmentWriter | None,
        idle_s: int,
        clock: Clock,
    ) -> None:
        self._rows = rows
        self._files = files
        self._admission = admission
        self._lookup = lookup
        self._unfinished = unfinished
        self._writer = writer
        self._idle_s = idle_s
        self._clock = clock
        self._is_stopping = False

    def stop(self) -> None:
        """Take no more bytes: the server is about to stop."""
        self._is_stopping = True

    def require_running(self) -> None:
        """Raises Stopping once the server is about to stop."""
        if self._is_stopping:
            raise Stopping("The server is restarting. What was uploaded is kept; resume in a moment.", retry_after_s=2)

    def require_open(self) -> None:
        """Raises Stopping, and Draining while the host takes no uploads."""
        self.require_running()
        self._admission.require_open()

    async def receive(self, lock: UploadLock, upload: Upload, offset: int, chunk: UploadChunk) -> Upload:
        """Append the chunk at `offset`, for the holder of the upload's lock.

        Raises FinalUpload, the refusal of an upload that was refused, OffsetMismatch, MalformedRequest, TooLarge,
        ChecksumMismatch, Busy, Stopping, Draining, UploadLocked, UploadPaused, and what the stream raises. For an open
        upload also CompletedUpload, InconsistentLength, EmptyUpload and GoneUpload.
        """
        self._require_unended(upload, chunk)
        self._require_offset(upload, offset)
        upload = await self._with_length(upload, offset, chunk)
        max_bytes = (self._max_bytes(chunk) if upload.length is None else upload.length) - offset
        if chunk.announced_bytes is not None and chunk.announced_bytes > max_bytes:
            raise self._too_many(upload, offset + chunk.announced_bytes, self._max_bytes(chunk))
        if chunk.announced_bytes != 0 and upload.state is UploadState.RECEIVING:
            self._catch_up(lock, upload)
            await self._append(lock, upload, chunk, max_bytes)
        return await self._completed(upload) if chunk.is_last else upload

    @staticmethod
    def _require_unended(upload: Upload, chunk: UploadChunk) -> None:
        """Raises FinalUpload, and the refusal of an upload that was refused.

        For an upload that its client has declared complete CompletedUpload, InconsistentLength if the chunk has bytes.
        """
        if upload.kind is UploadKind.FINAL:
            raise FinalUpload("This upload is assembled from parts and accepts no data of its own.")
        if upload.refusal is not None:
            raise fault_of(upload.refusal)
        if chunk.is_last is not None and not upload.is_open:
            if chunk.announced_bytes == 0:
                raise CompletedUpload("The upload is complete. Ask for its state to find the image.")
            raise InconsistentLength("The upload is complete and accepts no more data.", limit=upload.length)

    def _require_offset(self, upload: Upload, offset: int) -> None:
        here = self._lookup.offset(upload)
        if offset != here:
            raise OffsetMismatch(
                f"The upload continues at byte {here:,}, not at {offset:,}.", limit=here, actual=offset, retry_after_s=1
            )

    def _max_bytes(self, chunk: UploadChunk) -> int:
        return max_file_bytes(chunk.client.charged_key, self._admission.max_bytes)

    async def _with_length(self, upload: Upload, offset: int, chunk: UploadChunk) -> Upload:
        """The upload with a length that was deferred until this request. Raises as `receive` does."""
        length = chunk.length
        if length is None or length == upload.length:
            return upload
        if upload.is_open and length == 0:
            raise EmptyUpload
        if upload.length is not None or length < max(1, offset):
            detail = "Upload-Length can be set only once, and not below what has arrived."
            raise InconsistentLength(detail, limit=upload.length) if upload.is_open else MalformedRequest(detail)
        if length > self._max_bytes(chunk):
            raise too_large(self._max_bytes(chunk), length)
        await self._rows.set_length(upload.id_hash, length)
        return replace(upload, length=length)

    @staticmethod
    def _too_many(upload: Upload, bytes_after: int, max_bytes: int) -> ApplianceError:
        """The error for an announcement beyond the upload's length, or beyond what this host accepts."""
        if upload.is_open and upload.length is not None:
            detail = f"The upload was to have {upload.length:,} bytes. With this request it would have {bytes_after:,}."
            return InconsistentLength(detail, limit=upload.length, actual=bytes_after)
        return too_large(upload.length or max_bytes, bytes_after)

    async def _completed(self, upload: Upload) -> Upload:
        """The upload without its mark of being open, once the request that its client declared the last one is here."""
        here = self._lookup.offset(upload)
        if upload.length not in (None, here):
            detail = f"The upload was to have {upload.length:,} bytes, but {here:,} are here. Send the rest."
            raise InconsistentLength(detail, limit=upload.length, actual=here)
        if here == 0:
            raise EmptyUpload
        if not await self._rows.complete(upload.id_hash, here):
            raise GoneUpload  # it was given up meanwhile
        return replace(upload, length=here, is_open=False)

    async def _append(self, lock: UploadLock, upload: Upload, chunk: UploadChunk, max_bytes: int) -> None:
        admission = AdmissionRequest(chunk.client, UploadStage.CONTINUING, access_key=upload.access_key)
        try:
            async with self._admission.admitted(admission) as admitted:
                self.require_running()
                self._unfinished.adopt(upload, chunk.client)
                async with lock.receiving(), self._followed(upload):
                    await self._files.append(
                        upload.id_hash,
                        self._kept_alive(upload, admitted.permit.counted(chunk.stream)),
                        announced_bytes=chunk.announced_bytes or 0,
                        left_bytes=max_bytes,
                        digest=lock.digest,
                        checksums=chunk.checksums,
                        client=chunk.client.id,
                        since_s=upload.created_s,
                    )
        except UploadLocked:
            self.require_running()
            raise
        except DiskFull as fault:
            raise UploadPaused(retry_after_s=PAUSED_S) from fault

    def _followed(self, upload: Upload) -> AbstractAsyncContextManager[None]:
        return contextlib.nullcontext() if self._writer is None else self._writer.following(upload)

    async def _kept_alive(self, upload: Upload, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The stream, whose bytes postpone the upload's expiry. A request that brings none does not."""
        async for chunk in stream:
            upload = await self._postpone_expiry(upload)
            yield chunk

    async def _postpone_expiry(self, upload: Upload) -> Upload:
        until_s = int(self._clock()) + self._idle_s
        if upload.expires_s < until_s - EXPIRY_SLACK * self._idle_s:
            await self._rows.keep_until(upload.id_hash, until_s)
            return replace(upload, expires_s=until_s)
        return upload

    def _catch_up(self, lock: UploadLock, upload: Upload) -> None:
        """After a restart, have the digest read the bytes that are here already, while others arrive."""
        is_behind = lock.digest.bytes < self._files.offset(upload.id_hash)
        if is_behind and (lock.catching_up is None or lock.catching_up.done()):
            lock.catching_up = asyncio.create_task(self._files.catch_up(upload.id_hash, lock.digest))
            lock.catching_up.add_done_callback(lambda task: task.cancelled() or task.exception())
