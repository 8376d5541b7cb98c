"""Whether a PNG, WebP or GIF ends before its image does, by what its structure says of its length."""

import os

from appliance.domain import formats
from appliance.domain.formats import FormatSpec
from appliance.imaging.gif_frames import read_frames

_PNG_START, _MAX_PNG_CHUNKS = 8, 200_000
_IEND = b"IEND"


def ends_early(fd: int, kind: FormatSpec) -> bool:
    """Whether the end of the image is missing; False also where it can't be determined."""
    length = os.fstat(fd).st_size
    match kind:
        case formats.PNG:
            return not _has_png_end(fd, length)
        case formats.WEBP:
            return int.from_bytes(os.pread(fd, 4, 4), "little") + 8 > length
        case formats.GIF:
            frames = read_frames(fd)
            return frames is not None and not frames.is_whole
        case _:
            return False


def _has_png_end(fd: int, length: int) -> bool:
    """The end chunk is the last thing in most files; where it isn't, all chunks are walked."""
    if os.pread(fd, 4, length - 8) == _IEND:
        return True
    at = _PNG_START
    for _ in range(_MAX_PNG_CHUNKS):
        head = os.pread(fd, 8, at)
        if len(head) < 8:
            return False
        if head[4:] == _IEND:
            return True
        at += 12 + int.from_bytes(head[:4], "big")
    return True
