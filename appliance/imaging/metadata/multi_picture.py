"""The Multi-Picture Format (CIPA DC-007): where the further pictures of a JPEG file are; a gain map may stay."""

import struct
from collections.abc import Sequence

MPF_MARK = b"MPF\0"
_VERSION, _COUNT, _ENTRIES = 0xB000, 0xB001, 0xB002
_MAX_IMAGES = 1000
_PRIMARY = 0x030000

Place = tuple[int, int]
"""Offset and length of an image; the offset is counted from behind the mark, and 0 for the first image."""


def places(body: bytes) -> list[Place]:
    """The pictures that the segment tells of."""
    return [(offset, size) for _, size, offset in _entries(body[len(MPF_MARK) :])]


def rewritten(body: bytes, images: Sequence[Place]) -> bytes | None:
    """A segment that tells of these images alone, and of nothing else; None where it has no room for that."""
    known = {offset: attribute for attribute, _, offset in _entries(body[len(MPF_MARK) :])}
    entries = b"".join(
        struct.pack(">IIIHH", known.get(offset, 0 if offset else _PRIMARY), size, offset, 0, 0)
        for offset, size in images
    )
    directory = struct.pack(">H", 3)
    directory += struct.pack(">HHI4s", _VERSION, 7, 4, b"0100")
    directory += struct.pack(">HHII", _COUNT, 4, 1, len(images))
    directory += struct.pack(">HHII", _ENTRIES, 7, len(entries), 8 + 2 + 3 * 12 + 4)
    whole = MPF_MARK + b"MM\0*" + struct.pack(">I", 8) + directory + bytes(4) + entries
    return whole if len(whole) <= len(body) else None


def _entries(tiff: bytes) -> list[tuple[int, int, int]]:
    """Attribute, size and offset of each."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return []
    try:
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        (tags,) = struct.unpack_from(order + "H", tiff, first)
        for number in range(min(tags, _MAX_IMAGES)):
            tag, _, count, at = struct.unpack_from(order + "HHII", tiff, first + 2 + 12 * number)
            if tag == _ENTRIES:
                table = tiff[at : at + min(count, 16 * _MAX_IMAGES) // 16 * 16]
                return [entry[:3] for entry in struct.iter_unpack(order + "IIIHH", table[: len(table) // 16 * 16])]
    except struct.error:
        pass
    return []
