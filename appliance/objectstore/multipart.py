"""Giants on their way to an S3 store: sent in parts, some at a time, and taken up where a fault or a crash left them.

They have threads of their own, so that however many giants there are, small objects never wait for them; and since
each giant asks for a thread anew with every part, giants share those threads evenly.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.objectstore.base import METADATA_PREFIX
from appliance.objectstore.bucket import Bucket, Part, TransferForgotten
from appliance.objectstore.pending_uploads import Journal, Note
from appliance.objectstore.slices import FileSlice
from appliance.shared.threads import Stop, Threads
from appliance.shared.throttle import Pace

MIB = 1024 * 1024
MAX_PARTS = 10_000  # S3's limit
MAX_PART_BYTES = 5 * 1024 * MIB  # S3's limit
MAX_GIANT_BYTES = MAX_PARTS * MAX_PART_BYTES  # 48.8 TiB, the limit of MinIO and of Amazon's S3
PART_BYTES = 64 * MIB  # what one failure costs to send again; memory does not depend on it
THREADS = 2  # parts that are sent at a time, of all giants together: a disk and a store beside it gain little by more
AT_ONCE = 2  # of one giant, so that one alone uses all threads

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Way:
    """A transfer that is open at the store, and the parts that the store has of it already, by number."""

    note: Note
    held: dict[int, Part] = field(default_factory=dict)


class _UnlikeTheFile(Exception):
    """The store has a part that is not what the file says; not every store lets it be replaced."""


class Giants:
    """Puts files in parts. An attempt that fails leaves its parts with the store, for the next one or for `drop`."""

    def __init__(self, bucket: Bucket, journal: Journal, pace: Pace) -> None:
        self._bucket = bucket
        self._journal = journal
        self._pace = pace
        self._threads = Threads("store-giant", THREADS)

    async def put(self, key: str, descriptor: int, headers: dict[str, str]) -> None:
        """As `ObjectStore.put`, for a file of more bytes than one part has."""
        note = Note.of(key, descriptor, headers)
        way = await self._threads.run_stoppable(lambda _stop: self._way_of(note))
        if way is not None:
            await self._go(way, descriptor)
        self._journal.forget(key)

    async def _go(self, way: _Way, descriptor: int) -> None:
        try:
            tags = await self._send(way, descriptor)
        except _UnlikeTheFile:
            log.warning("parts of %s don't match what was sent; starting over", way.note.key)
            await self._threads.run_stoppable(lambda _stop: self.drop(way.note.key))
            way = await self._threads.run_stoppable(lambda _stop: self._anew(way.note))
            tags = await self._send(way, descriptor)
        await self._threads.run_stoppable(lambda _stop: self._bucket.complete(way.note.key, way.note.upload, tags))

    def drop(self, key: str) -> None:
        """Have the store forget what was begun and is not wanted any more. Blocking. Raises StoreUnavailable."""
        note = self._journal.read(key)
        if note is not None:
            self._bucket.abort(key, note.upload)
            self._journal.forget(key)

    async def close(self) -> None:
        await self._threads.close()

    def _way_of(self, note: Note) -> _Way | None:
        """The way that an earlier attempt began, or else a new one; None when the object turns out to be there."""
        begun = self._journal.read(note.key)
        if begun is not None and begun.is_for(note):
            try:
                held = self._bucket.parts(note.key, begun.upload)
            except TransferForgotten:
                if self._is_there(note):  # the answer to its completion never came
                    return None
            else:
                log.info("resuming %s: %d parts are already in the store", note.key, len(held))
                return _Way(begun, held)
        return self._anew(note)

    def _anew(self, note: Note) -> _Way:
        with suppress(StoreUnavailable):  # a store may not let us look
            for orphan in self._bucket.unfinished(note.key):  # of another file, or begun just before a crash
                self._bucket.abort(note.key, orphan)
        note = replace(note, upload=self._bucket.begin(note.key, dict(note.headers)))
        self._journal.write(note)
        return _Way(note)

    def _is_there(self, note: Note) -> bool:
        try:
            found = self._bucket.stat(note.key)
        except ObjectMissing:
            return False
        metadata = {METADATA_PREFIX + name: value for name, value in found.metadata.items()}
        return found.bytes == note.bytes and metadata | {"Content-Type": found.media_type} == note.headers

    async def _send(self, way: _Way, descriptor: int) -> list[str]:
        """The tags of all parts, in order, once the store has them."""
        parts = [(number, *span) for number, span in enumerate(spans(way.note.bytes), 1)]
        tags, left = [""] * len(parts), iter(parts)

        async def some() -> None:
            for number, start, length in left:
                send = partial(self._send_part, way, descriptor, number, start, length)
                tags[number - 1] = await self._threads.run_stoppable(send)

        await _all_or_none([some] * AT_ONCE)
        return tags

    def _send_part(  # noqa: PLR0917 - which part of what
        self, way: _Way, descriptor: int, number: int, start: int, length: int, stop: Stop
    ) -> str:
        """The part's tag. What the store has already is compared with the file, not sent again."""
        body = FileSlice(descriptor, start, length, stop, self._pace)
        if held := way.held.get(number):
            if held != Part(length, body.md5().hex()):
                raise _UnlikeTheFile
            return held.tag
        return self._bucket.put_part(way.note.key, way.note.upload, number, body)


def spans(size: int) -> list[tuple[int, int]]:
    """How a file of `size` bytes is cut into parts: (start, length) each, whole MiB, no more than S3 takes."""
    least = -(-size // MAX_PARTS)
    part_bytes = max(PART_BYTES, -(-least // MIB) * MIB)
    return [(start, min(part_bytes, size - start)) for start in range(0, size, part_bytes)]


async def _all_or_none(calls: list[Callable[[], Coroutine[None, None, None]]]) -> None:
    """Run them side by side; when one fails, or nobody waits any more, none goes on in the background."""
    tasks = [asyncio.create_task(call()) for call in calls]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
