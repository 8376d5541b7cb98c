"""The files of resumable uploads, which outlive requests and restarts. A file's size tells how far its upload is.

A request with checksums counts only once they are verified. Until then its bytes lie at the file's end, and a mark next
to the file says where they begin: whatever happens, they are cut off there, so no unverified byte is ever counted.
"""

import asyncio
import contextlib
import hmac
import os
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

from appliance.domain.errors import ApplianceError, ChecksumMismatch, DiskFull
from appliance.shared.files import writing
from appliance.shared.threads import Threads
from appliance.spool.digests import Checksum, Digest
from appliance.spool.room import ExpectedUpload, Room
from appliance.spool.transfers import BUFFER_BYTES, SYNC_BYTES, MakeRoom, Transfer, finished, too_large

MARK = ".unverified"
HELD_S = 0.5  # slow bytes stay in memory no longer, so that progress shows and a crash costs little


class Append(Transfer):
    """Appends to a file. Every byte is kept, however the stream ends."""

    mode = "ab"

    def __init__(  # noqa: PLR0917 - a transfer's, and what hashes the bytes
        self,
        path: Path,
        room: Room,
        threads: Threads,
        make_room: MakeRoom,
        expected: ExpectedUpload,
        digest: Digest,
        checksums: Sequence[Checksum],
        sync_bytes: int = SYNC_BYTES,
    ) -> None:
        super().__init__(path, room, threads, make_room, expected, sync_bytes)
        self.digest = digest
        self._checksums = checksums
        self._hashers = {checksum.algorithm: checksum.hasher() for checksum in checksums}
        self._flushing: asyncio.Future[None] | None = None
        self._block = bytearray()
        self._writing_block = asyncio.Lock()

    async def pour(self, stream: AsyncIterator[bytes]) -> None:
        """Write the stream, or as much as came of it. Raises as `Transfer.pour` does."""
        taken, ticking = 0, asyncio.ensure_future(self._tick())
        try:
            async for chunk in stream:
                taken += len(chunk)
                if taken > self._max_bytes:
                    raise too_large(self._max_bytes, taken)
                self._block += chunk
                if len(self._block) >= BUFFER_BYTES:
                    await self._write_block()
        finally:
            self._flushing = asyncio.ensure_future(self._flush(ticking))
            await asyncio.shield(self._flushing)

    async def _tick(self) -> None:
        """Write what a slow client has sent, without waiting for a whole block."""
        with contextlib.suppress(ApplianceError):  # the block stays, so that `pour` meets the fault too
            while True:
                await asyncio.sleep(HELD_S)
                await self._write_block()

    async def _write_block(self) -> None:
        """Begin to write the block, if there is one. Where that fails, the block stays next."""
        async with self._writing_block:
            block, self._block = self._block, bytearray()
            if not block:
                return
            try:
                await self._write_next(block)
            except BaseException:
                self._block[:0] = block
                raise

    @property
    def is_busy(self) -> bool:
        return super().is_busy or (self._flushing is not None and not self._flushing.done())

    async def close(self) -> None:
        """Close as a transfer does, once the last bytes are written. A cancellation doesn't end the writing."""
        if self._flushing is not None:
            await asyncio.wait([self._flushing])
            self._flushing.exception()  # it was raised already, or nobody is left to see it
        await super().close()

    async def _flush(self, ticking: "asyncio.Future[None]") -> None:
        async with self._writing_block:  # so that it holds no block
            ticking.cancel()
        await self._write_block()
        await self._written()
        await self._synced()

    def _hash_and_write(self, block: bytearray) -> None:
        self._write_whole(block)
        for hasher in self._hashers.values():
            hasher.update(block)
        if not self._checksums:
            self.digest.feed(block, self._end)
        self._end += len(block)

    def _cut(self) -> None:
        super()._cut()
        self.digest.restart()

    def require_match(self) -> None:
        """Raises ChecksumMismatch if the bytes lack one of the checksums."""
        for checksum in self._checksums:
            if not hmac.compare_digest(self._hashers[checksum.algorithm].digest(), checksum.digest):
                raise ChecksumMismatch(
                    f"The {checksum.algorithm} checksum of the data doesn't match. Nothing was kept; send it again."
                )


class UploadFiles:
    """Owns `folder`. A file is named by the hash of its upload's id; without a file an upload has no bytes."""

    def __init__(
        self, folder: Path, room: Room, threads: Threads, make_room: MakeRoom, sync_bytes: int = SYNC_BYTES
    ) -> None:
        self._folder = folder
        self._room = room
        self._threads = threads
        self._make_room = make_room
        self._sync_bytes = sync_bytes
        self._verified: dict[str, int] = {}
        self._closed = False
        folder.mkdir(parents=True, exist_ok=True)

    async def start(self) -> None:
        """Cut off bytes that a crash left unverified."""
        await self._threads.run(cut_unverified, self._folder)

    def close(self) -> None:
        """End the reading of digests."""
        self._closed = True

    def path(self, name: str) -> Path:
        return self._folder / name

    def offset(self, name: str) -> int:
        """How many bytes of the upload count."""
        verified = self._verified.get(name)
        if verified is not None:
            return verified
        try:
            return self.path(name).stat().st_size
        except FileNotFoundError:
            return 0

    async def append(
        self,
        name: str,
        stream: AsyncIterator[bytes],
        *,
        announced_bytes: int,
        left_bytes: int,
        digest: Digest,
        checksums: Sequence[Checksum] = (),
        client: str = "",
        since_s: float = 0.0,
    ) -> None:
        """Append the stream. What arrived before it broke off stays, unless the request has checksums.

        `digest` follows. `left_bytes` is what the upload lacks; it counts as `client`'s, and as begun at `since_s`.

        Raises TooLarge, DiskFull, ChecksumMismatch, and whatever the stream raises.
        """
        expected = ExpectedUpload(left_bytes, None, client, since_s)
        transfer = partial(self._append, name, stream, announced_bytes, expected, digest)
        if not checksums:
            await transfer(())
            return
        mark = self.path(name + MARK)
        self._verified[name] = self.offset(name)
        try:
            await self._threads.run(_write_mark, mark, self._verified[name])
            await transfer(checksums)
            await self._threads.run(mark.unlink)
        finally:
            await asyncio.shield(self._threads.run(_cut, self.path(name), mark))
            del self._verified[name]

    async def _append(  # noqa: PLR0917 - those of `append`
        self,
        name: str,
        stream: AsyncIterator[bytes],
        announced_bytes: int,
        expected: ExpectedUpload,
        digest: Digest,
        checksums: Sequence[Checksum],
    ) -> None:
        transfer = Append(
            self.path(name),
            self._room,
            self._threads,
            self._make_room,
            expected,
            digest,
            checksums,
            self._sync_bytes,
        )
        try:
            transfer.check(min(max(1, announced_bytes), BUFFER_BYTES))  # more is admitted as long as there is room
            await transfer.pour(stream)
        finally:
            await finished(transfer)
        transfer.require_match()

    async def catch_up(self, name: str, digest: Digest) -> None:
        """Have the digest read every byte that counts, unless `close` comes first. An absent file has none."""
        with contextlib.suppress(FileNotFoundError):
            behind = self.offset(name) - digest.bytes
            await self._threads.run_through(behind, digest.catch_up, self.path(name), partial(self._end_of, name))

    def _end_of(self, name: str) -> int:
        return 0 if self._closed else self.offset(name)

    async def concatenate(self, name: str, parts: Sequence[str], total_bytes: int) -> None:
        """Write the file from the parts' files, in order; they stay. Raises DiskFull, FileNotFoundError."""
        await self._make_room(total_bytes, None)
        self._room.promise(total_bytes)
        try:
            await self._threads.run_through(total_bytes, self._concatenate, name, parts)
        finally:
            self._room.release(total_bytes)

    def _concatenate(self, name: str, parts: Sequence[str]) -> None:
        with contextlib.ExitStack() as stack:
            sources = [stack.enter_context(self.path(part).open("rb", buffering=0)) for part in parts]
            target = stack.enter_context(self.path(name).open("wb", buffering=0))
            try:
                for source in sources:
                    while os.copy_file_range(source.fileno(), target.fileno(), self._sync_bytes):
                        os.fdatasync(target.fileno())
            except OSError as fault:
                raise DiskFull("The parts couldn't be assembled on disk. Try again later.") from fault

    async def create(self, name: str) -> None:
        """Create an empty file, for an upload that this host fills itself."""
        await self._threads.run(self.path(name).touch)

    async def remove(self, name: str) -> None:
        await self._threads.run(self._remove, name)

    def _remove(self, name: str) -> None:
        for path in (self.path(name), self.path(name + MARK)):
            path.unlink(missing_ok=True)

    async def names(self) -> list[str]:
        """The names of all uploads that have a file."""
        found = await self._threads.run(os.listdir, self._folder)
        return sorted(name for name in found if not name.endswith(MARK))


def cut_unverified(folder: Path) -> None:
    """Cut off the bytes of files of uploads that were never verified."""
    for mark in folder.glob(f"*{MARK}"):
        _cut(mark.with_name(mark.name.removesuffix(MARK)), mark)


def _write_mark(mark: Path, offset: int) -> None:
    """Durable before the first unverified byte is written."""
    with writing(mark, exclusive=True) as file:
        file.write(str(offset).encode())


def _cut(path: Path, mark: Path) -> None:
    """Cut the file where the mark says. An unfinished mark means that nothing unverified was written."""
    with contextlib.suppress(FileNotFoundError):
        text = mark.read_bytes()
        if text.isdigit() and path.exists() and path.stat().st_size > int(text):
            os.truncate(path, int(text))
        mark.unlink()
