"""Writes segments while uploads arrive, behind those who send them: from the spool's files, a few at a time.

What is to be done is in memory. Files and objects are the truth: after a restart, or for a store that was away, the
writer finds again what is missing.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from appliance.catalogue import ImageCatalogue, UploadCatalogue
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError, StoreUnavailable
from appliance.domain.resumable_uploads import Upload, UploadKind, UploadState
from appliance.objectstore.observed import ObservedStore
from appliance.resumable.segment_sweep import SILENT_S, is_needed
from appliance.resumable.segments import Segments, UploadSegment
from appliance.spool.resumed import UploadFiles

WRITERS = 2
"""Segments on their way at once, of all uploads together: originals of other uploads share the store with them."""
LOOK_EVERY_S = 0.2
"""How often files are looked at while they grow."""
FLUSH_EVERY_S = 5.0
"""Between two short segments of an upload, or a client could have the store write all day."""
FLUSH_WITHIN_S = 2.0
"""How long a reply waits for the bytes that it counts."""
TRUSTED_S = SILENT_S / 2
"""How long what the store had is taken for what it has. The sweep of another node removes nothing earlier."""

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Followed:
    """An upload whose bytes go to the store. `stored` is where its next segment begins, None until that is known.

    `end` is how much of it the store has: more than `stored` where the last segment is a short one, to be replaced.
    """

    upload: Upload
    stored: int | None = None
    end: int = 0
    seen_s: float = float("-inf")
    """When the store was last known to have it, in unix seconds."""
    has_some: bool = False
    """Whether there may be anything of it in the store."""
    wanted: int = 0
    """Up to where a short segment is wanted."""
    receiving: int = 0
    flushed_s: float = float("-inf")
    writing: asyncio.Task[None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class SegmentWriter:
    """Follows uploads of this node. A segment has `segment_bytes`."""

    def __init__(
        self,
        segment_bytes: int,
        *,
        store: ObservedStore,
        segments: Segments,
        files: UploadFiles,
        rows: UploadCatalogue,
        images: ImageCatalogue,
        clock: Clock,
    ) -> None:
        self.segment_bytes = segment_bytes
        self._store = store
        self._segments = segments
        self._files = files
        self._rows = rows
        self._images = images
        self._clock = clock
        self._followed: dict[str, _Followed] = {}
        self._active: set[str] = set()
        """Those of them that may have more for the store. Of the others it is known how much that has."""
        self._places = asyncio.Semaphore(WRITERS)
        self._looking: asyncio.Task[None] | None = None
        self._deleting: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """How many segments wait for the store."""
        sizes = [self._due(followed) - followed.end for followed in map(self._followed.__getitem__, self._active)]
        return sum(-(-size // self.segment_bytes) for size in sizes if size > 0)

    async def close(self) -> None:
        """End at once. What is missing is written after the next start."""
        tasks = [followed.writing for followed in self._followed.values() if followed.writing is not None]
        for task in (running := [*tasks, *self._deleting, *([self._looking] if self._looking else [])]):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    # --- following ------------------------------------------------------------------------------------------------

    def follow(self, upload: Upload) -> None:
        """Have the store get what is here of the upload, and what is to come."""
        self._follow(upload)

    def adopt(self, upload: Upload) -> None:
        """Follow an upload of which the store has all that is here."""
        followed = self._follow(upload)
        followed.stored, followed.end, followed.wanted = None, self._files.offset(upload.id_hash), 0
        followed.has_some = followed.end > 0
        followed.seen_s = self._clock()

    @asynccontextmanager
    async def following(self, upload: Upload) -> AsyncIterator[None]:
        """Follow the upload while the block receives bytes of it, and until the store has them."""
        followed = self._follow(upload)
        followed.receiving += 1
        try:
            yield
        finally:
            followed.receiving -= 1

    async def flush(self, upload: Upload) -> None:
        """Have the store get every byte that is here now, and wait for it, unless the store is known to be away."""
        offset = self._files.offset(upload.id_hash)
        if not offset or self._store.fault is not None:
            return
        followed, now_s = self._follow(upload), asyncio.get_running_loop().time()
        if now_s < followed.flushed_s + FLUSH_EVERY_S:
            return
        followed.flushed_s, followed.wanted = now_s, offset
        self._write(followed)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_WITHIN_S):
                while followed.end < offset and upload.id_hash in self._active:
                    followed.changed.clear()
                    await followed.changed.wait()

    async def complete(self, upload: Upload) -> None:
        """Have the store get all of an upload whose bytes are all here, unless it is known to be away.

        Raises StoreUnavailable where it didn't get it for another reason.
        """
        followed, offset = self._follow(upload), self._files.offset(upload.id_hash)
        followed.wanted = offset
        while followed.end < offset and self._store.fault is None:
            if upload.id_hash not in self._active:
                raise StoreUnavailable(retry_after_s=1)
            followed.changed.clear()
            self._write(followed)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await followed.changed.wait()

    def leave(self, id_hash: str) -> None:
        """Write no more of the upload: its file is about to change."""
        self._active.discard(id_hash)
        if (followed := self._followed.get(id_hash)) is not None:
            followed.changed.set()
            if followed.writing is not None:
                followed.writing.cancel()

    def end(self, upload: Upload, *, is_stored: bool = False) -> None:
        """Remove the segments of an upload that has ended. Best effort: a sweep removes what is left.

        Those of one that became an image, or a part of one, stay while a node alone has its original. With `is_stored`,
        the store has it, whether the row says so or not.
        """
        self.leave(upload.id_hash)
        followed = self._followed.pop(upload.id_hash, None)
        is_large = upload.length is None or upload.length >= self.segment_bytes
        if is_large or (followed is not None and followed.has_some):
            writing = None if followed is None else followed.writing
            task = asyncio.create_task(self._delete_ended(upload.id_hash, writing, is_stored=is_stored))
            self._deleting.add(task)
            task.add_done_callback(self._deleting.discard)

    async def _delete_ended(self, id_hash: str, writing: asyncio.Task[None] | None, *, is_stored: bool) -> None:
        if writing is not None:
            await asyncio.wait([writing])
        try:
            row = await self._rows.get(id_hash)
            is_done = row is not None and row.state is not UploadState.RECEIVING and is_stored
            if is_done or not await is_needed(id_hash, row, self._rows, self._images):  # another node may have it now
                async with self._places:
                    await self._segments.delete(id_hash)
        except ApplianceError as fault:
            log.info("segments of an ended upload are left to the sweep: %s", fault.detail)

    def _follow(self, upload: Upload) -> _Followed:
        followed = self._followed.setdefault(upload.id_hash, _Followed(upload))
        followed.upload = upload
        is_overdue = upload.expires_s < self._clock()
        if followed.writing is None and (is_overdue or followed.seen_s < self._clock() - TRUSTED_S):
            followed.stored, followed.end = None, 0  # the next write asks the store
        self._active.add(upload.id_hash)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return followed

    # --- writing --------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Begin what is due, while there is an upload that may have something."""
        while self._active:
            for id_hash in tuple(self._active):
                followed = self._followed[id_hash]
                if self._due(followed) > followed.end:
                    self._write(followed)
                elif followed.receiving == 0 and followed.writing is None:
                    self._rest(id_hash, followed)
            await asyncio.sleep(LOOK_EVERY_S)

    def _rest(self, id_hash: str, followed: _Followed) -> None:
        """Look no more at the upload until more of it comes."""
        self._active.discard(id_hash)
        if not followed.has_some:
            del self._followed[id_hash]

    def _due(self, followed: _Followed) -> int:
        """Up to which byte the store is to have the upload: whole segments, and all of a part that waits for others."""
        offset, begins = self._files.offset(followed.upload.id_hash), followed.stored or 0
        whole = begins + (offset - begins) // self.segment_bytes * self.segment_bytes
        is_whole_part = followed.upload.kind is UploadKind.PARTIAL and offset == followed.upload.length
        return offset if is_whole_part else max(whole, min(offset, followed.wanted))

    def _write(self, followed: _Followed) -> None:
        if followed.writing is None:
            followed.writing = asyncio.create_task(self._write_due(followed))

    async def _write_due(self, followed: _Followed) -> None:
        """Write the upload's next segments, one after the other; each waits for its turn among all uploads."""
        try:
            while self._due(followed) > followed.end:
                async with self._places, self._store.breaker.permit(alone=False):
                    await self._write_next(followed)
        except StoreUnavailable:
            pass  # the next look begins again; the breaker has it wait until the store answers
        except OSError as fault:
            log.warning("a segment of an upload can't be read: %s", fault)
            self._active.discard(followed.upload.id_hash)
        except Exception:
            log.exception("a segment could not be written")
            self._active.discard(followed.upload.id_hash)
        finally:
            followed.writing = None
            followed.changed.set()

    async def _write_next(self, followed: _Followed) -> None:
        if followed.stored is None:
            await self._find_stored(followed)
        begins, due = followed.stored or 0, self._due(followed)
        if due <= followed.end:
            return
        segment = UploadSegment(followed.upload.id_hash, begins, min(due, begins + self.segment_bytes))
        followed.has_some = True
        await self._segments.put(segment)
        followed.end, followed.seen_s = segment.end, self._clock()
        if segment.end == begins + self.segment_bytes:
            followed.stored = segment.end
        followed.changed.set()

    async def _find_stored(self, followed: _Followed) -> None:
        """Where to continue after what an earlier run, or another node, has written."""
        last, offset = None, self._files.offset(followed.upload.id_hash)
        async for segment in self._segments.stored(followed.upload.id_hash):
            if segment.end > offset:
                break
            last = segment
        followed.has_some = followed.has_some or last is not None
        followed.seen_s = self._clock()
        if last is not None:
            is_short = last.end - last.start < self.segment_bytes
            followed.stored, followed.end = (last.start if is_short else last.end), last.end
        else:
            followed.stored = followed.end = 0
