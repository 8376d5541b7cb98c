"""An album as a zip file, streamed. Images are stored as they are, so its length is known before the first byte.

One block of one original is in memory at a time, and nothing is written to disk. Images are compressed already. The
same images give the same bytes each time, so an interrupted download can be resumed.
"""

import hashlib
import struct
import unicodedata
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Self

from zipstream import ZipStream

from appliance.albums.contents import Contents
from appliance.delivery import Delivery
from appliance.domain.errors import StoreUnavailable
from appliance.domain.model import Image

MAX_NAME_BYTES = 200  # with the folder that it is unpacked into, short enough for every system
EDITION = b"1"  # changes when the same images give other bytes
_HEADER_TIME = 10  # where the time is in an entry's header, and in the central directory (APPNOTE.TXT 4.3.7 and 4.3.12)
_DIRECTORY_TIME = 12
_DIRECTORY_ENTRY = b"PK\x01\x02"
_NEVER_ON_WINDOWS = frozenset('<>:"/\\|?*')


class AlbumZip:
    """The download of one album: `length` bytes, which `blocks` yields once.

    `fingerprint` (24 hex digits) changes with the bytes.
    """

    def __init__(self, album: Contents, delivery: Delivery, extension: dict[str, str]) -> None:
        self._images = album.images
        self._delivery = delivery
        self._source = _BlockSource()
        self._archive = ZipStream(sized=True)
        fingerprint = hashlib.blake2b(EDITION, digest_size=12)
        for name, image in zip(entry_names(album.images, extension), album.images, strict=True):
            self._archive.add(self._source, name, size=image.bytes)
            fingerprint.update(f"{name}\0{image.sha256}\0{image.created_s}\n".encode())
        self.length = len(self._archive)
        self.fingerprint = fingerprint.hexdigest()

    async def blocks(self) -> AsyncGenerator[bytes]:
        """The file's bytes in order. Raises StoreUnavailable when an original can't be read to its end."""
        for image in self._images:
            async with aclosing(self._entry(image)) as pieces:
                async for piece in pieces:
                    yield piece
        images = iter(self._images)
        for piece in self._archive.footer():
            yield _with_time(piece, _DIRECTORY_TIME, next(images)) if piece.startswith(_DIRECTORY_ENTRY) else piece

    async def _entry(self, image: Image) -> AsyncGenerator[bytes]:
        async with aclosing(self._original(image)) as original:
            self._source.block = await anext(original, b"")
            is_header = True
            for piece in self._archive.file():  # takes one block from the source between two pieces
                yield _with_time(piece, _HEADER_TIME, image) if is_header else piece
                is_header = False
                if self._source.block is None:
                    self._source.block = await anext(original, b"")

    async def _original(self, image: Image) -> AsyncGenerator[bytes]:
        original, left = await self._delivery.original(image), image.bytes
        try:
            async for block in original.blocks():
                left -= len(block)
                yield block
        finally:
            await original.close()
        if left:
            raise StoreUnavailable(f"The store sent {left:,} bytes too few of the original.")


def _with_time(header: bytes, place: int, image: Image) -> bytes:
    """The header of an entry with the time of the upload (UTC) in the form of MS-DOS.

    The archive writes the time of the download, which can't be set and would make each download another file.
    """
    at = datetime.fromtimestamp(image.created_s, UTC)
    date = max(0, at.year - 1980) << 9 | at.month << 5 | at.day
    time = at.hour << 11 | at.minute << 5 | at.second // 2
    return header[:place] + struct.pack("<HH", time, date) + header[place + 4 :]


class _BlockSource:
    """Holds the block that the archive takes next; an empty block is the end of an original."""

    def __init__(self) -> None:
        self.block: bytes | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        block, self.block = self.block, None
        if block is None:
            raise RuntimeError("the archive took more than one block for a piece")
        if not block:
            raise StopIteration
        return block


def entry_names(images: Sequence[Image], extension: dict[str, str]) -> Iterator[str]:
    """A name for each image: numbered, so that names are unique and sort as the album does; valid on every system.

    `extension` has the file extension of each media type.
    """
    digits = len(str(len(images)))
    for number, image in enumerate(images, 1):
        yield _entry_name(f"{number:0{digits}} ", image.filename, extension.get(image.media_type, "bin"))


def _entry_name(prefix: str, filename: str, extension: str) -> str:
    safe = "".join("_" if char in _NEVER_ON_WINDOWS else char for char in unicodedata.normalize("NFC", filename))
    stem, dot, given = safe.rpartition(".")
    if not dot or given.lower() not in (extension, "jpeg" * (extension == "jpg"), "tif" * (extension == "tiff")):
        stem, given = safe, extension
    room = MAX_NAME_BYTES - len(prefix) - len(given) - 1
    stem = stem.encode()[:room].decode(errors="ignore").strip(" .")
    return f"{prefix}{stem or 'image'}.{given}"
