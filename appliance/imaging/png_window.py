"""PNGs whose compressed data says how little of it a decoder has to remember (RFC 1950, CINFO), perhaps too little.

Browsers remember the most that is possible, 32 KB, and show what libpng, which takes the file at its word, breaks off.
So libpng reads a copy that says 32 KB. Small images are often written with less, and rightly; a copy of them is cheap.
"""

import os
import zlib

from appliance.imaging.file_bytes import FileBytes

MAX_BYTES = 64 * 1024 * 1024
"""Of a file that is copied; a larger one is believed."""
_START, _MAX_CHUNKS = 8, 1000
_DEFLATE, _LARGEST, _CHECK = 8, 7, 31


def copy_with_largest_window(fd: int) -> int | None:
    """A file in memory, to be closed; None where the open PNG says the largest window, or nothing that makes sense."""
    file = FileBytes(fd)
    if file.length > MAX_BYTES or (found := _first_data(file)) is None:
        return None
    at, length = found
    head = file.read(at, 2)
    if len(head) < 2 or int.from_bytes(head, "big") % _CHECK or head[0] & 0x0F != _DEFLATE or head[0] >> 4 >= _LARGEST:
        return None
    data = file.read(at + 2, length - 2)
    head = _header(head[1])
    is_whole = len(data) == length - 2
    checksum = zlib.crc32(data, zlib.crc32(b"IDAT" + head)).to_bytes(4, "big") if is_whole else b""
    copy = os.memfd_create("png")
    with os.fdopen(os.dup(copy), "wb") as out:
        for piece in (file.read(0, at), head, data, checksum, file.read(at + length + 4, file.length)):
            out.write(piece)
    return copy


def _header(flags: int) -> bytes:
    """The two bytes that begin the data, with a check of their own (FCHECK)."""
    number = (_LARGEST << 4 | _DEFLATE) << 8 | flags & 0xE0
    return (number + -number % _CHECK).to_bytes(2, "big")


def _first_data(file: FileBytes) -> tuple[int, int] | None:
    """Where the data of the first chunk of pixels lies, and its length, if it holds the header."""
    at = _START
    for _ in range(_MAX_CHUNKS):
        head = file.read(at, 8)
        length = int.from_bytes(head[:4], "big")
        if len(head) < 8:
            break
        if head[4:] == b"IDAT" and length:
            return (at + 8, length) if length > 1 else None
        at += 12 + length
    return None
