"""Transfers: bytes are hashed and written to the disk, a block at a time, with room promised for each."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path
from typing import BinaryIO, ClassVar, Literal

from appliance.domain.errors import DiskFull, TooLarge
from appliance.domain.file_edits import Edit
from appliance.shared.threads import Threads
from appliance.spool.digests import Digest
from appliance.spool.room import ExpectedUpload, Room, UploadProgress

BUFFER_BYTES = 1 << 20  # one block fills while another is written, so a transfer holds two of them
SYNC_BYTES = 64 << 20  # between syncs: with more, the last sync takes seconds, and so do everybody else's
SMALL_BYTES = 64 << 20  # larger files pause for smaller ones


@dataclass(frozen=True, slots=True)
class Incoming:
    """A received file that is not acknowledged yet. Its digest is updated when bytes of it are overwritten.

    Only the first `bytes` of a longer file count: the rest is cut off when it lands.
    """

    slug: str
    path: Path
    bytes: int
    digest: Digest = field(repr=False)

    @property
    def sha256(self) -> str:
        """In hex, of the bytes as they are now."""
        return self.digest.sha256()


MakeRoom = Callable[[int, UploadProgress | None], Awaitable[None]]
"""Makes room for so many bytes, of an upload in progress or a new one, if it can."""


class Transfer:
    """One file that is being received: hashed and written off the event loop, with its own share of the room."""

    mode: ClassVar[Literal["xb", "ab"]] = "xb"

    def __init__(  # noqa: PLR0917 - what it writes to, and what it may use
        self,
        path: Path,
        room: Room,
        threads: Threads,
        make_room: MakeRoom,
        expected: ExpectedUpload,
        sync_bytes: int = SYNC_BYTES,
    ) -> None:
        self._room = room
        self._threads = threads
        self._make_room = make_room
        self._sync_bytes = sync_bytes
        self.digest = Digest()
        self._max_bytes = expected.max_bytes
        self._claimed_bytes = 0  # of the block that is being written
        self._writing: asyncio.Future[None] | None = None
        self._syncing: asyncio.Future[None] | None = None
        self.bytes = 0
        try:
            self._file: BinaryIO = path.open(self.mode, buffering=0)
        except OSError as fault:
            raise DiskFull("The disk accepts no more files. Try again later.") from fault
        self._end = self._sync_begun_end = os.fstat(self._file.fileno()).st_size
        self._synced_end = self._end - self._end % sync_bytes
        self._progress = room.begin_upload(path.name, expected, self._end)
        if self._end < SMALL_BYTES:
            room.throttle.note_small()

    def check(self, bytes_: int) -> None:
        """Raises DiskFull when so many bytes can't fit."""
        self._room.check(bytes_, self._progress)

    async def _claim(self, bytes_: int) -> None:
        await self._make_room(bytes_, self._progress)
        self._room.promise_block(self._progress, bytes_)
        self._claimed_bytes = bytes_

    async def pour(self, stream: AsyncIterator[bytes]) -> None:
        """Write the whole stream. Raises TooLarge, DiskFull, and whatever the stream raises."""
        block, taken = bytearray(), 0
        async for chunk in stream:
            taken += len(chunk)
            if taken > self._max_bytes:
                raise too_large(self._max_bytes, taken)
            block += chunk
            if len(block) >= BUFFER_BYTES:
                await self._write_next(block)
                block = bytearray()
        if block:
            await self._write_next(block)
        await self._written()
        await self._synced()

    async def _write_next(self, block: bytearray) -> None:
        await self._written()
        await self._throttle()
        await self._claim(len(block))
        self._writing = self._threads.begin(self._hash_and_write, block)
        self._writing.add_done_callback(self._note_written)

    def _note_written(self, writing: asyncio.Future[None]) -> None:
        """Count the block, once, when it has been written; its waiter may be here before its callback."""
        if writing is not self._writing or writing.cancelled() or writing.exception() is not None:
            return
        self._room.note_written(self._progress, self._claimed_bytes)
        self.bytes += self._claimed_bytes
        self._claimed_bytes = 0

    async def _throttle(self) -> None:
        """Have a large transfer pause while small ones run: it would keep the loop, the threads and the disk busy."""
        if self._end < SMALL_BYTES:
            self._room.throttle.note_small()
        elif delay_s := self._room.throttle.delay_s():
            await asyncio.sleep(delay_s)

    async def _written(self) -> None:
        """Wait for the block that is being written, if there is one. A cancellation doesn't end the writing."""
        if self._writing is not None:
            await asyncio.shield(self._writing)
            self._note_written(self._writing)
            self._writing = None
        if self._end // self._sync_bytes > self._sync_begun_end // self._sync_bytes:
            await self._synced()
            self._sync_begun_end = self._end
            self._syncing = self._threads.begin(self._sync, self._end)

    async def _synced(self) -> None:
        """Wait for the sync in progress. Raises DiskFull where it failed, because the disk reports a loss only once."""
        if self._syncing is not None:
            await asyncio.shield(self._syncing)
            self._syncing = None

    def _sync(self, end: int) -> None:
        """Runs while more is received, so that little is left at the end, and a slow disk slows the sender down."""
        try:
            os.fdatasync(self._file.fileno())
        except OSError as fault:
            raise DiskFull(f"The disk lost data after byte {self._synced_end:,}. Try again later.") from fault
        self._synced_end = end

    def _cut(self) -> None:
        """Cut off what came after the last good sync, which can't be trusted."""
        os.ftruncate(self._file.fileno(), self._synced_end)

    def _hash_and_write(self, block: bytearray) -> None:
        self.digest.feed(block, self.digest.bytes)
        self._write_whole(block)
        self._end += len(block)

    def _write_whole(self, block: bytearray) -> None:
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as fault:
            raise DiskFull(
                f"The data after byte {self.bytes:,} couldn't be written to disk. Try again later."
            ) from fault

    @property
    def is_busy(self) -> bool:
        """Whether a thread may still hold the file."""
        return self._writing is not None or self._syncing is not None

    async def close(self) -> None:
        """Wait for the last block, whose thread still holds the file; then release what was not written."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
            self._note_written(self._writing)  # a fault was raised already, or nobody is left to see it
        if self._syncing is not None:
            await asyncio.wait([self._syncing])
            if self._syncing.exception() is not None:
                self._cut()
        self.release()

    def release(self) -> None:
        """Close the file, and release what was promised and not written. Only for one that isn't busy."""
        self._file.close()
        self._room.release(self._claimed_bytes)
        self._claimed_bytes = 0
        self._room.end_upload(self._progress, rests=self.mode == "ab")


async def finished(transfer: Transfer) -> None:
    """Close it: at once where no thread has to be waited for, else to the end, however often this is cancelled."""
    if transfer.is_busy:
        await asyncio.shield(transfer.close())
    else:
        transfer.release()


def overwrite(incoming: Incoming, edits: Sequence[Edit]) -> Incoming:
    """Change bytes in place, and hash again from the first of them. Raises DiskFull.

    What is cut off stays on the disk but counts no more: the size of a resumable upload's file tells how far it is.
    """
    try:
        with incoming.path.open("r+b") as file:
            for edit in edits:
                _write_edit(file, edit)
    except OSError as fault:
        raise DiskFull("The file couldn't be changed on disk, so nothing was uploaded. Try again later.") from fault
    finally:  # not before: a digest that catches up would read what is about to change
        incoming.digest.rewind(min(edit.offset for edit in edits))
    left = min((edit.offset for edit in edits if edit.is_cut), default=incoming.bytes)
    changed = replace(incoming, bytes=min(left, incoming.bytes))
    changed.digest.catch_up(changed.path, lambda: changed.bytes)
    return changed


def _write_edit(file: BinaryIO, edit: Edit) -> None:
    if edit.is_cut:
        return
    file.seek(edit.offset)
    if len(edit.pattern) == edit.length:
        file.write(edit.pattern)
        return
    for left in range(edit.length, 0, -BUFFER_BYTES):
        file.write(edit.pattern * min(BUFFER_BYTES, left))


def cut(file: FileIO, bytes_: int) -> None:
    """End the file there, durably, if it is longer."""
    if os.fstat(file.fileno()).st_size > bytes_:
        file.truncate(bytes_)
        os.fsync(file.fileno())


def too_large(max_bytes: int, actual_bytes: int) -> TooLarge:
    return TooLarge(
        f"The file has {actual_bytes:,} bytes or more. At most {max_bytes:,} are allowed.",
        limit=max_bytes,
        actual=actual_bytes,
    )
