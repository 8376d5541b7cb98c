"""Every second pixel of an interlaced PNG, from the first quarter of its data: Adam7's passes 1 to 5 hold just these.

The last two passes are three quarters of a decoder's work. Where a picture becomes four times as small or more, nobody
sees that they are missing; docs/decisions.md has the figures. Source: PNG specification, third edition, section 8.2.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import pyvips

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4))
"""The first five: first column, first row, and the steps from one column and from one row to the next."""
_MAX_PALETTE_BYTES = 768
_MAX_PASS_BYTES = 2_000_000_000  # what one chunk can hold
_READ_BYTES = 1 << 20


class NotThisWay(Exception):
    """The file is not as it should be: a decoder that knows all of PNG may make something of it yet."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class _Beginning:
    """What comes before the pixels and gives them a meaning; `colours` are whole chunks."""

    width: int
    height: int
    depth: int
    colour: int
    colours: bytes

    def size(self, number: int) -> tuple[int, int]:
        """Of a pass, in pixels."""
        left, top, across, down = _PASSES[number]
        return -(-(self.width - left) // across), -(-(self.height - top) // down)

    def pass_bytes(self, number: int) -> int:
        """Of a pass in the stream: before each of its rows is a byte that names the row's filter."""
        width, height = self.size(number)
        return height * (1 + -(-width * self.depth * _CHANNELS[self.colour] // 8))


def half(fd: int) -> pyvips.Image:
    """The pixels in even columns of even rows, in memory; of the metadata nothing is kept.

    Raises NotThisWay, and what libvips raises.
    """
    chunks = _chunks(fd)
    beginning, pixels = _beginning(fd, chunks)
    stream = _Stream(fd, pixels, chunks)
    first, second, third, fourth, fifth = (_decoded(beginning, number, stream) for number in range(len(_PASSES)))
    eighths = _columns_between(first, second)
    quarters = _rows_between(eighths, third)
    return _rows_between(_columns_between(quarters, fourth), fifth)


def _chunks(fd: int) -> Iterator[_Chunk]:
    at = len(_SIGNATURE)
    while len(head := os.pread(fd, 8, at)) == 8:
        length, name = struct.unpack(">I4s", head)
        yield _Chunk(name, at + 8, length)
        at += 8 + length + 4


def _beginning(fd: int, chunks: Iterator[_Chunk]) -> tuple[_Beginning, _Chunk]:
    """With the first chunk of pixels."""
    header, colours = None, b""
    for chunk in chunks:
        if chunk.name == b"IHDR" and chunk.length == _HEADER.size:
            header = _HEADER.unpack(os.pread(fd, chunk.length, chunk.start))
        elif chunk.name in {b"PLTE", b"tRNS"} and chunk.length <= _MAX_PALETTE_BYTES:
            colours += _chunk(chunk.name, os.pread(fd, chunk.length, chunk.start))
        elif chunk.name == b"IDAT":
            break
    else:
        raise NotThisWay
    if header is None or header[3] not in _CHANNELS or header[6] != 1:
        raise NotThisWay
    width, height, depth, colour, *_ = header
    return _Beginning(width, height, depth, colour, colours), chunk


class _Stream:
    """The inflated pixels of a row of chunks, read from front to back."""

    def __init__(self, fd: int, first: _Chunk, others: Iterator[_Chunk]) -> None:
        self._fd = fd
        self._inflater = zlib.decompressobj()
        self._blocks = self._read(first, others)

    def _read(self, first: _Chunk, others: Iterator[_Chunk]) -> Iterator[bytes]:
        chunk = first
        while chunk.name == b"IDAT":
            for offset in range(0, chunk.length, _READ_BYTES):
                yield os.pread(self._fd, min(_READ_BYTES, chunk.length - offset), chunk.start + offset)
            chunk = next(others, _Chunk(b"", 0, 0))

    def take(self, bytes_: int) -> Iterator[bytes]:
        """Exactly so many, in pieces. Raises NotThisWay when there are fewer, or they can't be inflated."""
        while bytes_:
            packed = self._inflater.unconsumed_tail or next(self._blocks, b"")
            if not packed:
                raise NotThisWay
            try:
                piece = self._inflater.decompress(packed, bytes_)
            except zlib.error as fault:
                raise NotThisWay from fault
            bytes_ -= len(piece)
            yield piece


def _decoded(beginning: _Beginning, number: int, stream: _Stream) -> pyvips.Image:
    """One pass, as the picture of its own that it is but for a header."""
    width, height = beginning.size(number)
    if min(width, height) < 1 or beginning.pass_bytes(number) > _MAX_PASS_BYTES:
        raise NotThisWay
    storing = zlib.compressobj(level=0)
    stored = [storing.compress(piece) for piece in stream.take(beginning.pass_bytes(number))]
    header = _HEADER.pack(width, height, beginning.depth, beginning.colour, 0, 0, 0)
    png = b"".join(
        [
            _SIGNATURE,
            _chunk(b"IHDR", header),
            beginning.colours,
            *_pieces_of_chunk(b"IDAT", [*stored, storing.flush()]),
            _chunk(b"IEND", b""),
        ]
    )
    del stored
    source = pyvips.Source.new_from_memory(png)
    return pyvips.Image.pngload_source(source, access="sequential", fail_on="error").copy_memory()


def _chunk(name: bytes, data: bytes) -> bytes:
    return b"".join(_pieces_of_chunk(name, [data]))


def _pieces_of_chunk(name: bytes, data: list[bytes]) -> list[bytes]:
    checksum = zlib.crc32(name)
    for piece in data:
        checksum = zlib.crc32(piece, checksum)
    return [struct.pack(">I4s", sum(map(len, data)), name), *data, struct.pack(">I", checksum)]


def _columns_between(even: pyvips.Image, odd: pyvips.Image) -> pyvips.Image:
    """Columns of both in turn; the last column of `even` may have none of `odd` behind it."""
    width = even.width + odd.width
    odd = odd.embed(0, 0, even.width, even.height)
    return even.bandjoin(odd).bandunfold(factor=2).crop(0, 0, width, even.height).copy_memory()


def _rows_between(even: pyvips.Image, odd: pyvips.Image) -> pyvips.Image:
    """Rows of both in turn; the last row of `even` may have none of `odd` below it."""
    height = even.height + odd.height
    odd = odd.embed(0, 0, even.width, even.height)
    pixels = even.join(odd, "horizontal").write_to_memory()  # a row of one, then a row of the other: as they shall be
    image = pyvips.Image.new_from_memory(pixels, even.width, 2 * even.height, even.bands, even.format)
    return image.crop(0, 0, even.width, height).copy(interpretation=even.interpretation)
