"""PNG files made chunk by chunk, for what no writer makes."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of this kind with its right checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(*chunks: bytes) -> bytes:
    """A file of these chunks, and of the one that ends it."""
    return SIGNATURE + b"".join(chunks) + chunk(b"IEND", b"")
