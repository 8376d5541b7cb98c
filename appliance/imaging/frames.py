"""How many frames a file holds that the decoders show as one picture: animated PNG, and sequences of HEIC and AVIF.

Only counts are read, as the file tells them; every read is bounded.
"""

import os
import struct
from collections.abc import Iterator

_MAX_BOXES = 256
"""In one container, and chunks before a PNG's pixels."""
_PNG_START = 8


def png_frames(fd: int) -> int:
    """What the animation's control chunk says, which has to stand before the pixels; 1 where there is none."""
    at = _PNG_START
    for _ in range(_MAX_BOXES):
        head = os.pread(fd, 12, at)
        if len(head) < 12 or head[4:8] == b"IDAT":
            break
        if head[4:8] == b"acTL":
            return max(1, int.from_bytes(head[8:12], "big"))
        at += 12 + int.from_bytes(head[:4], "big")
    return 1


def sequence_frames(fd: int) -> int:
    """The samples of the longest picture track of an ISO media file; 1 where it has none."""
    tables = (
        table
        for track in _inside(fd, (0, os.fstat(fd).st_size), b"moov", b"trak")
        for table in _inside(fd, track, b"mdia", b"minf", b"stbl", b"stsz")
    )
    counts = (os.pread(fd, 4, start + 8) for start, _ in tables)  # behind the version and the size of all samples
    return max((int.from_bytes(count, "big") for count in counts), default=1) or 1


def _inside(fd: int, within: tuple[int, int], *path: bytes) -> Iterator[tuple[int, int]]:
    """Where the contents of the boxes at this path start and end."""
    if not path:
        yield within
        return
    for name, start, end in _boxes(fd, *within):
        if name == path[0]:
            yield from _inside(fd, (start, end), *path[1:])


def _boxes(fd: int, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    for _ in range(_MAX_BOXES):
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
