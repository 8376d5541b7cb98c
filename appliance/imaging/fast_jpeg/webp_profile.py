"""A WebP's container with a colour profile, which libwebp doesn't write."""

import struct

from appliance.imaging.resizing import Size

_HAS_PROFILE = 0x20


def with_profile(webp: bytes, size: Size, profile: bytes) -> bytes:
    """The file in the extended format: a head with its size, the profile, and the chunk with the picture."""
    width, height = (side - 1 for side in size)
    head = struct.pack("<B3xHBHB", _HAS_PROFILE, width & 0xFFFF, width >> 16, height & 0xFFFF, height >> 16)
    chunks = b"WEBP" + _chunk(b"VP8X", head) + _chunk(b"ICCP", profile) + webp[12:]
    return _chunk(b"RIFF", chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
