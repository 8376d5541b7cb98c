"""Counts the frames of animated PNG, HEIC and AVIF, and recognises files whose headers take a decoder too long.

Some decoders go through all chunks or items once for each of them. Every read is bounded.
"""

import os
import struct
from collections.abc import Iterator

_MAX_BOXES = 256
"""In one container."""
_PNG_START, _MAX_PNG_CHUNKS = 8, 100_000
_WEBP_START = 12
_MANY_BOXES = 10_000
MAX_CHUNKS = 10_000
"""Of a WebP: for each frame libwebp goes through all before it, 0.2 s for so many."""
MAX_ITEM_WORK = 40_000_000
"""Of HEIC and AVIF, items times references: for each item libheif goes through all of these, 13 ns each."""
MAX_REFERENCES = 100_000


def png_frames(fd: int) -> int:
    """The frames that follow an animation's control chunk, which has to stand before the pixels; 1 where there is none.

    Those that are there are counted, for the chunk may claim any number.
    """
    at, claimed, found = _PNG_START, 0, 0
    for _ in range(_MAX_PNG_CHUNKS):
        head = os.pread(fd, 12, at)
        kind = head[4:8]
        if len(head) < 12 or kind == b"IEND" or (kind == b"IDAT" and not claimed):
            break
        if kind == b"acTL":
            claimed = int.from_bytes(head[8:12], "big")
        found += kind == b"fcTL"
        at += 12 + int.from_bytes(head[:4], "big")
    return max(1, min(claimed, found))


def has_many_chunks(fd: int) -> bool:
    """Whether a WebP has more frames, or other chunks, than its header is read for."""
    at = _WEBP_START
    for _ in range(MAX_CHUNKS):
        head = os.pread(fd, 8, at)
        if len(head) < 8:
            return False
        size = int.from_bytes(head[4:], "little")
        at += 8 + size + size % 2
    return True


def has_many_items(fd: int) -> bool:
    """Whether an ISO media file has more tracks, or items that refer to each other, than its header is read for."""
    whole = (0, os.fstat(fd).st_size)
    if sum(1 for _ in _inside(fd, whole, b"moov", b"trak", max_boxes=_MANY_BOXES)) > _MAX_BOXES:
        return True
    items = references = 0
    for start, end in _inside(fd, whole, b"meta", max_boxes=_MANY_BOXES):
        for name, inner, inner_end in _boxes(fd, start + 4, end, _MANY_BOXES):
            if name == b"iinf":
                version, *count = os.pread(fd, 8, inner).ljust(8, b"\0")
                items += int.from_bytes(bytes(count[3:] if version else count[3:5]), "big")
            elif name == b"iref":
                references += sum(1 for _ in _boxes(fd, inner + 4, inner_end, MAX_REFERENCES))
    return references >= MAX_REFERENCES or items * references > MAX_ITEM_WORK


def sequence_frames(fd: int) -> int:
    """The samples of the longest image track of an ISO media file; 1 where it has none."""
    tables = (
        table
        for track in _inside(fd, (0, os.fstat(fd).st_size), b"moov", b"trak")
        for table in _inside(fd, track, b"mdia", b"minf", b"stbl", b"stsz")
    )
    counts = (os.pread(fd, 4, start + 8) for start, _ in tables)  # behind the version and the size of all samples
    return max((int.from_bytes(count, "big") for count in counts), default=1) or 1


def _inside(fd: int, within: tuple[int, int], *path: bytes, max_boxes: int = _MAX_BOXES) -> Iterator[tuple[int, int]]:
    """Where the contents of the boxes at this path start and end."""
    if not path:
        yield within
        return
    for name, start, end in _boxes(fd, *within, max_boxes):
        if name == path[0]:
            yield from _inside(fd, (start, end), *path[1:], max_boxes=max_boxes)


def _boxes(fd: int, at: int, end: int, max_boxes: int) -> Iterator[tuple[bytes, int, int]]:
    for _ in range(max_boxes):
        head = os.pread(fd, 16, at)
        if at + 8 > end or len(head) < 8:
            return
        size, name = struct.unpack(">I4s", head[:8])
        start = at + 8
        if size == 1 and len(head) == 16:
            size, start = int.from_bytes(head[8:], "big"), at + 16
        if size == 0:
            size = end - at
        if size < start - at:
            return
        yield name, start, min(at + size, end)
        at += size
