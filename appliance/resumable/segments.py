"""Segments: pieces of unfinished uploads in the store, from which another node continues them.

parts/{hash of the upload's id}/{byte where it begins}   the next one begins where this one ends

The objects themselves say how much is there: no row could be ahead of them, or behind.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.domain.errors import DiskFull, ObjectMissing
from appliance.objectstore import ObjectStore
from appliance.shared import files
from appliance.spool import Spool

PREFIX = "parts/"
OFFSET_DIGITS = 15
MEDIA_TYPE = "application/octet-stream"  # what it is, only the whole file says
UNFINISHED = ".joining"


@dataclass(frozen=True, slots=True)
class UploadSegment:
    """The bytes of an upload from `start` to `end` in the store."""

    upload: str
    start: int
    end: int

    @property
    def key(self) -> str:
        """Of its object. Keys of one upload sort by where they begin."""
        return f"{PREFIX}{self.upload}/{self.start:0{OFFSET_DIGITS}}"


class Segments:
    """The segments of all uploads. Uploads go by the hashes of their ids."""

    def __init__(self, store: ObjectStore, spool: Spool) -> None:
        self._store = store
        self._spool = spool

    async def put(self, segment: UploadSegment) -> None:
        """Store bytes of the upload's file. Raises StoreUnavailable, OSError."""
        path, length = self._spool.uploads.path(segment.upload), segment.end - segment.start
        await self._store.put_range(segment.key, path, segment.start, length, media_type=MEDIA_TYPE)

    async def stored(self, upload: str) -> AsyncIterator[UploadSegment]:
        """What the store has of the upload from its first byte on, without a gap. Raises StoreUnavailable.

        Each is asked for by its key: a listing may miss objects.
        """
        end = 0
        with suppress(ObjectMissing):
            while True:
                info = await self._store.stat(UploadSegment(upload, end, end).key)
                yield (segment := UploadSegment(upload, end, end + info.bytes))
                end = segment.end

    async def stored_bytes(self, upload: str) -> int:
        """How much of the upload the store has, without a gap. Raises StoreUnavailable."""
        return sum([segment.end - segment.start async for segment in self.stored(upload)])

    async def join(self, upload: str, *following: str) -> Path:
        """A durable file with all that the store has of the upload, empty if that is nothing; the caller moves it away.

        What the store has of the `following` uploads is behind it. Raises StoreUnavailable, DiskFull.
        """
        path = self._spool.copy_path(upload + UNFINISHED)
        await asyncio.to_thread(path.write_bytes, b"")
        for one in (upload, *following):
            async for segment in self.stored(one):
                async with self._spool.room_for(segment.end - segment.start):
                    await self._append(segment, path)
        await asyncio.to_thread(files.sync, path)
        return path

    async def _append(self, segment: UploadSegment, path: Path) -> None:
        try:
            with await asyncio.to_thread(path.open, "ab") as file:
                async with await self._store.open(segment.key) as reader:
                    async for block in reader:
                        await asyncio.to_thread(file.write, block)
                await asyncio.to_thread(file.flush)
        except OSError as fault:
            raise DiskFull("The upload couldn't be copied to this server's disk. Try again later.") from fault

    async def delete(self, upload: str) -> None:
        """Remove all of the upload's. Raises StoreUnavailable."""
        for entry in [entry async for entry in self._store.list(f"{PREFIX}{upload}/")]:
            await self._store.delete(entry.key)

    async def uploads(self) -> AsyncIterator[tuple[str, float]]:
        """The uploads that have segments, and when the last one of each was written. Raises StoreUnavailable."""
        upload, written_s = "", 0.0
        async for entry in self._store.list(PREFIX):
            of = entry.key.removeprefix(PREFIX).partition("/")[0]
            if of != upload and upload:
                yield upload, written_s
            written_s = max(entry.modified_s, written_s) if of == upload else entry.modified_s
            upload = of
        if upload:
            yield upload, written_s
