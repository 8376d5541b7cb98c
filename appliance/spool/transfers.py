"""Transfers: bytes on their way to the disk, hashed as they pass, and the disk space that is promised to them."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar, Literal

from appliance.errors import DiskFull, TooLarge
from appliance.threads import Threads

BUFFER_BYTES = 1 << 20  # what one transfer holds in memory at most twice: one block fills while the other is written
STEP_BYTES = 16 << 20  # room is claimed in such steps when the length was not announced


@dataclass(frozen=True, slots=True)
class Incoming:
    """A received file that is not yet promised to anybody. `sha256` is in hex."""

    slug: str
    path: Path
    bytes: int
    sha256: str


class Room:
    """Disk that is promised once: each open transfer reserves the bytes that it may still write."""

    def __init__(self, folder: Path, reserve_bytes: int) -> None:
        self._folder = folder
        self._reserve_bytes = reserve_bytes
        self.promised_bytes = 0

    @property
    def available_bytes(self) -> int:
        """What a new transfer may take: free disk less the reserve and what is promised already."""
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize - self._reserve_bytes - self.promised_bytes

    def claim(self, wanted_bytes: int) -> None:
        """Promise `wanted_bytes`; raises DiskFull with the figures."""
        self.check(wanted_bytes)
        self.promised_bytes += wanted_bytes

    def check(self, wanted_bytes: int) -> None:
        """Raises DiskFull with the figures when so many bytes could not be promised now."""
        available = max(0, self.available_bytes)
        if wanted_bytes > available:
            raise DiskFull(
                f"This upload needs {wanted_bytes:,} bytes of disk; {available:,} are left. Try again later.",
                limit=available,
                actual=wanted_bytes,
            )

    def give_back(self, bytes_: int) -> None:
        """Take back a promise: the bytes were written (the disk counts them now) or won't be."""
        self.promised_bytes -= bytes_


MakeRoom = Callable[[int], Awaitable[None]]
"""Frees so many bytes if it can."""


class Transfer:
    """One file being received: hashed and written off the loop, with its own claim on the disk."""

    mode: ClassVar[Literal["xb", "ab"]] = "xb"

    def __init__(self, path: Path, room: Room, threads: Threads, make_room: MakeRoom) -> None:
        self._room = room
        self._threads = threads
        self._make_room = make_room
        self._hash = hashlib.sha256()
        self._claimed_bytes = 0
        self._writing: asyncio.Future[None] | None = None
        self.bytes = 0
        try:
            self._file: BinaryIO = path.open(self.mode, buffering=0)
        except OSError as fault:
            raise DiskFull("The disk takes no more files. Try again later.") from fault

    async def claim(self, bytes_: int) -> None:
        """Have so much disk promised. Raises DiskFull."""
        await self._make_room(bytes_)
        self._room.claim(bytes_)
        self._claimed_bytes += bytes_

    async def pour(self, stream: AsyncIterator[bytes], max_bytes: int) -> None:
        """Write the whole stream. Raises TooLarge, DiskFull, and whatever the stream raises."""
        block, taken = bytearray(), 0
        async for chunk in stream:
            taken += len(chunk)
            if taken > max_bytes:
                raise too_large(max_bytes, taken)
            block += chunk
            if len(block) >= BUFFER_BYTES:
                await self._write_next(block)
                block = bytearray()
        if block:
            await self._write_next(block)
        await self._written()

    async def _write_next(self, block: bytearray) -> None:
        await self._written()
        if len(block) > self._claimed_bytes:
            await self.claim(max(STEP_BYTES, len(block)))
        self._writing = asyncio.ensure_future(self._write(block))

    async def _written(self) -> None:
        """The block that is being written, if one is, is on the disk; it stays so when the waiting is cancelled."""
        if self._writing is not None:
            await asyncio.shield(self._writing)
            self._writing = None

    async def _write(self, block: bytearray) -> None:
        await self._threads.run(self._hash_and_write, block)
        self._room.give_back(len(block))
        self._claimed_bytes -= len(block)
        self.bytes += len(block)

    def _hash_and_write(self, block: bytearray) -> None:
        self._hash.update(block)
        self._write_whole(block)

    def _write_whole(self, block: bytearray) -> None:
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as fault:
            raise DiskFull(f"The disk refused the bytes after {self.bytes:,}. Try again later.") from fault

    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def close(self) -> None:
        """Let the last block end, for its thread still holds the file; then give back what was not written."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
            self._writing.exception()  # it was told already, or nobody is left to be told
        self._file.close()
        self._room.give_back(self._claimed_bytes)
        self._claimed_bytes = 0


def too_large(max_bytes: int, actual_bytes: int) -> TooLarge:
    return TooLarge(
        f"The file has {actual_bytes:,} bytes or more; at most {max_bytes:,} are taken.",
        limit=max_bytes,
        actual=actual_bytes,
    )
