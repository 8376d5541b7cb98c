"""An album as a zip file, streamed. Images are stored as they are, so its length is known before the first byte.

One block of one original is in memory at a time, and nothing is written to disk. Images are compressed already.
"""

import unicodedata
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Self

from zipstream import ZipStream

from appliance.albums.contents import Contents
from appliance.delivery import Delivery
from appliance.domain.errors import StoreUnavailable
from appliance.domain.model import Image

MAX_NAME_BYTES = 200  # with the folder that it is unpacked into, short enough for every system
_NEVER_ON_WINDOWS = frozenset('<>:"/\\|?*')


class AlbumZip:
    """The download of one album: `length` bytes, which `blocks` yields once."""

    def __init__(self, album: Contents, delivery: Delivery, extension: dict[str, str]) -> None:
        self._images = album.images
        self._delivery = delivery
        self._source = _BlockSource()
        self._archive = ZipStream(sized=True)
        for name, image in zip(entry_names(album.images, extension), album.images, strict=True):
            self._archive.add(self._source, name, size=image.bytes)
        self.length = len(self._archive)

    async def blocks(self) -> AsyncGenerator[bytes]:
        """The file's bytes in order. Raises StoreUnavailable when an original can't be read to its end."""
        for image in self._images:
            async with aclosing(self._entry(image)) as pieces:
                async for piece in pieces:
                    yield piece
        for piece in self._archive.footer():
            yield piece

    async def _entry(self, image: Image) -> AsyncGenerator[bytes]:
        async with aclosing(self._original(image)) as original:
            self._source.block = await anext(original, b"")
            for piece in self._archive.file():  # takes one block from the source between two pieces
                yield piece
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
