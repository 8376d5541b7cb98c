"""The files of resumable uploads: they outlive requests and restarts, and their size tells how far an upload is.

A request with a checksum counts only once verified. What it writes lies at the file's end until then, and a mark beside
the file says from where on: whatever happens, the rest is cut off, so that no unverified byte is ever counted.
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
from appliance.spool.room import Coming, Room
from appliance.spool.transfers import BUFFER_BYTES, SYNC_BYTES, MakeRoom, Transfer, too_large

MARK = ".unverified"
HELD_S = 0.5  # slow bytes are not held in memory for longer, so that progress shows and a crash costs little


class Append(Transfer):
    """Bytes on their way to a file's end, every one of which is kept however the stream ends."""

    mode = "ab"

    def __init__(  # noqa: PLR0917 - a transfer's, and who wants to see the bytes
        self,
        path: Path,
        room: Room,
        threads: Threads,
        make_room: MakeRoom,
        coming: Coming,
        digest: Digest,
        checksum: Checksum | None,
    ) -> None:
        super().__init__(path, room, threads, make_room, coming)
        self.digest = digest
        self._hasher = None if checksum is None else checksum.hasher()
        self._flushing: asyncio.Future[None] | None = None
        self._block = bytearray()
        self._handing_on = asyncio.Lock()

    async def pour(self, stream: AsyncIterator[bytes]) -> None:
        """Write the stream, and what came of it when it breaks off. Raises as `Transfer.pour` does."""
        taken, ticking = 0, asyncio.ensure_future(self._tick())
        try:
            async for chunk in stream:
                taken += len(chunk)
                if taken > self._max_bytes:
                    raise too_large(self._max_bytes, taken)
                self._block += chunk
                if len(self._block) >= BUFFER_BYTES:
                    await self._hand_on()
        finally:
            self._flushing = asyncio.ensure_future(self._flush(ticking))
            await asyncio.shield(self._flushing)

    async def _tick(self) -> None:
        """Also a client that sends nothing more for now has what it sent on the disk."""
        with contextlib.suppress(ApplianceError):  # the block stays, so that whoever pours meets it too
            while True:
                await asyncio.sleep(HELD_S)
                await self._hand_on()

    async def _hand_on(self) -> None:
        """Let the block be written, if there is one; it stays what comes next when that does not begin."""
        async with self._handing_on:
            block, self._block = self._block, bytearray()
            if not block:
                return
            try:
                await self._write_next(block)
            except BaseException:
                self._block[:0] = block
                raise

    async def close(self) -> None:
        """As a transfer's, once the last bytes are written, which go on when the waiting for them is cancelled."""
        if self._flushing is not None:
            await asyncio.wait([self._flushing])
            self._flushing.exception()  # it was told already, or nobody is left to be told
        await super().close()

    async def _flush(self, ticking: "asyncio.Future[None]") -> None:
        async with self._handing_on:  # so that it holds no block
            ticking.cancel()
        await self._hand_on()
        await self._written()
        await self._synced()

    def _hash_and_write(self, block: bytearray) -> None:
        self._write_whole(block)
        if self._hasher is not None:
            self._hasher.update(block)
        else:
            self.digest.feed(block, self._end)
        self._end += len(block)

    def _cut(self) -> None:
        super()._cut()
        self.digest.restart()

    def fits(self, checksum: Checksum) -> bool:
        """Whether the bytes are those that the checksum was made of."""
        return self._hasher is not None and hmac.compare_digest(self._hasher.digest(), checksum.digest)


class UploadFiles:
    """Owns `folder`. Files are named by the hash of their upload's id; an absent one is an upload without bytes."""

    def __init__(self, folder: Path, room: Room, threads: Threads, make_room: MakeRoom) -> None:
        self._folder = folder
        self._room = room
        self._threads = threads
        self._make_room = make_room
        self._verified: dict[str, int] = {}
        self._closed = False
        folder.mkdir(parents=True, exist_ok=True)

    async def start(self) -> None:
        """Cut off what a crash left unverified."""
        await self._threads.run(self._cut_unverified)

    def _cut_unverified(self) -> None:
        for mark in self._folder.glob(f"*{MARK}"):
            _cut(mark.with_name(mark.name.removesuffix(MARK)), mark)

    def close(self) -> None:
        """Let no digest go on reading."""
        self._closed = True

    def path(self, name: str) -> Path:
        return self._folder / name

    def offset(self, name: str) -> int:
        """How many bytes count."""
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
        most_bytes: int,
        digest: Digest,
        checksum: Checksum | None = None,
        client: str = "",
        since_s: float = 0.0,
    ) -> None:
        """Put the stream at the file's end; what came before it broke off stays, unless it has a checksum.

        `digest` follows. What is left of the upload, `most_bytes`, counts as `client`'s, and as begun at `since_s`.

        Raises TooLarge, DiskFull, ChecksumMismatch, and whatever the stream raises.
        """
        coming = Coming(most_bytes, None, client, since_s)
        transfer = partial(self._append, name, stream, announced_bytes, coming, digest)
        if checksum is None:
            await transfer(None)
            return
        mark = self.path(name + MARK)
        self._verified[name] = self.offset(name)
        try:
            await self._threads.run(_write_mark, mark, self._verified[name])
            await transfer(checksum)
            await self._threads.run(mark.unlink)
        finally:
            await asyncio.shield(self._threads.run(_cut, self.path(name), mark))
            del self._verified[name]

    async def _append(  # noqa: PLR0917 - `append`'s own
        self,
        name: str,
        stream: AsyncIterator[bytes],
        announced_bytes: int,
        coming: Coming,
        digest: Digest,
        checksum: Checksum | None,
    ) -> None:
        transfer = Append(self.path(name), self._room, self._threads, self._make_room, coming, digest, checksum)
        try:
            transfer.check(min(max(1, announced_bytes), BUFFER_BYTES))  # more is let in as long as there is room
            await transfer.pour(stream)
        finally:
            await asyncio.shield(transfer.close())
        if checksum is not None and not transfer.fits(checksum):
            raise ChecksumMismatch(
                f"The {checksum.algorithm} checksum of the data doesn't match. Nothing was kept; send it again."
            )

    async def catch_up(self, name: str, digest: Digest) -> None:
        """Let the digest take in every byte that counts, unless `close` comes first. An absent file has none."""
        with contextlib.suppress(FileNotFoundError):
            behind = self.offset(name) - digest.bytes
            await self._threads.run_through(behind, digest.catch_up, self.path(name), partial(self._end_of, name))

    def _end_of(self, name: str) -> int:
        return 0 if self._closed else self.offset(name)

    async def concatenate(self, name: str, parts: Sequence[str], total_bytes: int) -> None:
        """Make the file anew from the parts' files, in order; they stay. Raises DiskFull, FileNotFoundError."""
        await self._make_room(total_bytes, None)
        self._room.claim(total_bytes)
        try:
            await self._threads.run_through(total_bytes, self._concatenate, name, parts)
        finally:
            self._room.give_back(total_bytes)

    def _concatenate(self, name: str, parts: Sequence[str]) -> None:
        with contextlib.ExitStack() as stack:
            sources = [stack.enter_context(self.path(part).open("rb", buffering=0)) for part in parts]
            target = stack.enter_context(self.path(name).open("wb", buffering=0))
            try:
                for source in sources:
                    while os.copy_file_range(source.fileno(), target.fileno(), SYNC_BYTES):
                        os.fdatasync(target.fileno())
            except OSError as fault:
                raise DiskFull("The parts couldn't be assembled on disk. Try again later.") from fault

    async def create(self, name: str) -> None:
        """An empty file, for an upload that is filled by this host itself."""
        await self._threads.run(self.path(name).touch)

    async def remove(self, name: str) -> None:
        await self._threads.run(self._remove, name)

    def _remove(self, name: str) -> None:
        for path in (self.path(name), self.path(name + MARK)):
            path.unlink(missing_ok=True)

    async def names(self) -> list[str]:
        """Every upload that has a file."""
        found = await self._threads.run(os.listdir, self._folder)
        return sorted(name for name in found if not name.endswith(MARK))


def _write_mark(mark: Path, offset: int) -> None:
    """Durable before the first unverified byte is written."""
    with writing(mark, exclusive=True) as file:
        file.write(str(offset).encode())


def _cut(path: Path, mark: Path) -> None:
    """Cut the file where the mark says; a mark that was not finished has nothing unverified beside it."""
    with contextlib.suppress(FileNotFoundError):
        text = mark.read_bytes()
        if text.isdigit() and path.exists() and path.stat().st_size > int(text):
            os.truncate(path, int(text))
        mark.unlink()
