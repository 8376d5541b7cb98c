"""Multipart uploads of large files: sent in parts, several at a time, and continued after a fault or a crash.

They have threads of their own, so that small objects never wait for them. Each upload asks for a thread again with
every part, so large files share those threads evenly.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.objectstore.bucket import Bucket, MultipartUploadMissing
from appliance.objectstore.multipart_requests import MultipartRequests, StoredPart
from appliance.objectstore.pending_uploads import PendingUpload, PendingUploads
from appliance.objectstore.port import METADATA_PREFIX
from appliance.objectstore.slices import FileSlice
from appliance.shared.threads import Stop, Threads
from appliance.shared.throttle import Throttle

MIB = 1024 * 1024
MAX_PARTS = 10_000  # S3's limit
MAX_PART_BYTES = 5 * 1024 * MIB  # S3's limit
MAX_OBJECT_BYTES = MAX_PARTS * MAX_PART_BYTES  # 48.8 TiB, the limit of MinIO and of Amazon's S3
PART_BYTES = 64 * MIB  # what one failure costs to send again; memory does not depend on it
THREADS = 2  # parts sent at a time, of all uploads together: a disk and a store on one machine gain little by more
PARTS_AT_ONCE = 2  # of one upload, so that one alone uses all threads

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _OpenUpload:
    """An upload that is open at the store, and the parts that the store has already, by number."""

    pending: PendingUpload
    held: dict[int, StoredPart] = field(default_factory=dict)


class _PartMismatch(Exception):
    """The store has a part that differs from the file; not every store lets it be replaced."""


class MultipartUploader:
    """Puts files in parts. An attempt that fails leaves its parts with the store, for the next one or for `drop`.

    Parts have `part_bytes`, or more where a file would need more parts than S3 allows. `pending` are the uploads that
    were begun and not completed, and `requests` is how the store is asked.
    """

    def __init__(
        self, bucket: Bucket, pending: PendingUploads, throttle: Throttle, part_bytes: int = PART_BYTES
    ) -> None:
        self.part_bytes = part_bytes
        self._bucket = bucket
        self.requests = MultipartRequests(bucket)
        self.pending = pending
        self._throttle = throttle
        self._threads = Threads("store-multipart", THREADS)

    async def put(self, key: str, descriptor: int, headers: dict[str, str]) -> None:
        """Put the file as `ObjectStore.put` does, for a file larger than one part."""
        wanted = PendingUpload.of(key, descriptor, headers)
        upload = await self._threads.run_stoppable(lambda _stop: self._resume_or_begin(wanted))
        if upload is not None:
            await self._finish(upload, descriptor)
        self.pending.forget(key)

    async def _finish(self, upload: _OpenUpload, descriptor: int) -> None:
        key = upload.pending.key
        try:
            tags = await self._send_parts(upload, descriptor)
        except _PartMismatch:
            log.warning("parts of %s don't match what was sent; starting over", key)
            await self._threads.run_stoppable(lambda _stop: self.drop(key))
            upload = await self._threads.run_stoppable(lambda _stop: self._begin(upload.pending))
            tags = await self._send_parts(upload, descriptor)
        await self._threads.run_stoppable(lambda _stop: self.requests.complete(key, upload.pending.upload, tags))

    def drop(self, key: str) -> None:
        """Remove the parts of an upload that is not wanted any more. Blocking. Raises StoreUnavailable."""
        pending = self.pending.read(key)
        if pending is not None:
            self.requests.abort(key, pending.upload)
            self.pending.forget(key)

    async def close(self) -> None:
        await self._threads.close()

    def _resume_or_begin(self, wanted: PendingUpload) -> _OpenUpload | None:
        """The upload that an earlier attempt began, or a new one; None when the object turns out to be there."""
        begun = self.pending.read(wanted.key)
        if begun is not None and begun.is_same_file(wanted):
            try:
                held = self.requests.parts(wanted.key, begun.upload)
            except MultipartUploadMissing:
                if self._is_stored(wanted):  # the answer to its completion was lost
                    return None
            else:
                log.info("resuming %s: %d parts are already in the store", wanted.key, len(held))
                return _OpenUpload(begun, held)
        return self._begin(wanted)

    def _begin(self, wanted: PendingUpload) -> _OpenUpload:
        with suppress(StoreUnavailable):  # a store may not let us look
            for orphan in self.requests.unfinished(wanted.key):  # of another file, or begun just before a crash
                self.requests.abort(wanted.key, orphan)
        pending = replace(wanted, upload=self.requests.begin(wanted.key, dict(wanted.headers)))
        self.pending.write(pending)
        return _OpenUpload(pending)

    def _is_stored(self, wanted: PendingUpload) -> bool:
        try:
            found = self._bucket.stat(wanted.key)
        except ObjectMissing:
            return False
        metadata = {METADATA_PREFIX + name: value for name, value in found.metadata.items()}
        return found.bytes == wanted.bytes and metadata | {"Content-Type": found.media_type} == wanted.headers

    async def _send_parts(self, upload: _OpenUpload, descriptor: int) -> list[str]:
        """The tags of all parts, in order, once the store has them."""
        parts = [(number, *span) for number, span in enumerate(spans(upload.pending.bytes, self.part_bytes), 1)]
        tags, left = [""] * len(parts), iter(parts)

        async def send_some() -> None:
            for number, start, length in left:
                send = partial(self._send_part, upload, descriptor, number, start, length)
                tags[number - 1] = await self._threads.run_stoppable(send)

        await _run_all_or_none([send_some] * PARTS_AT_ONCE)
        return tags

    def _send_part(  # noqa: PLR0917 - which part of what
        self, upload: _OpenUpload, descriptor: int, number: int, start: int, length: int, stop: Stop
    ) -> str:
        """The part's tag. A part that the store has is compared with the file and not sent again."""
        body = FileSlice(descriptor, start, length, stop, self._throttle)
        if held := upload.held.get(number):
            if held != StoredPart(length, body.md5().hex()):
                raise _PartMismatch
            return held.tag
        return self.requests.put_part(upload.pending.key, upload.pending.upload, number, body)


def spans(size: int, wanted_bytes: int = PART_BYTES) -> list[tuple[int, int]]:
    """How a file of `size` bytes is cut into parts: (start, length) each.

    Parts have `wanted_bytes`; or whole MiB of more, where there would be more parts than S3 allows.
    """
    min_part_bytes = -(-size // MAX_PARTS)
    part_bytes = max(wanted_bytes, -(-min_part_bytes // MIB) * MIB)
    return [(start, min(part_bytes, size - start)) for start in range(0, size, part_bytes)]


async def _run_all_or_none(calls: list[Callable[[], Coroutine[None, None, None]]]) -> None:
    """Run the calls together; when one fails or the caller is cancelled, none continues in the background."""
    tasks = [asyncio.create_task(call()) for call in calls]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
