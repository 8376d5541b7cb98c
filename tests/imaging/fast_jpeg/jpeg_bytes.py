"""Parts of a JPEG, as bytes."""

import struct


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def packed(bits: str, fill: str = "1") -> bytes:
    """Codes of a scan in whole bytes: the last one is filled up, and each 0xFF stuffed."""
    bits += fill * (-len(bits) % 8)
    return int(bits or "0", 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0")
