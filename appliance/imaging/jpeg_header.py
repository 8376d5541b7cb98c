"""What a JPEG says of itself before its pixels: the kind of its frame, how many scans it has, and whether it ends."""

import os
from dataclasses import dataclass

from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.cleaning import Cleaning, OutOfTime
from appliance.imaging.metadata.segments import SOS, Segment, segments

MAX_SCANS = 100
"""A progressive file has about ten. Each more costs a pass over all pixels, however few bytes it has."""
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_EOI = b"\xff\xd9"
_MAX_SCANNED_BYTES = 16 * 1024 * 1024
"""Scans are counted in so much of the file. The end marker is looked for in as much of its end."""
_LAST_BYTES, _PIECE_BYTES = 4096, 256 * 1024


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """`marker` and `precision` (bits a sample) are the frame's; `scans` counts no further than one over MAX_SCANS."""

    width: int
    height: int
    marker: int
    precision: int
    scans: int
    is_complete: bool

    @property
    def is_ordinary(self) -> bool:
        """Whether every decoder reads such a frame: Huffman coding, lossy, 8 bits."""
        return self.marker in (_BASELINE, _EXTENDED, _PROGRESSIVE) and self.precision == 8


def read_jpeg_header(fd: int) -> JpegHeader | None:
    """The header; None where no frame or no scan is found within reasonable time."""
    frame: Segment | None = None
    scans, first_scan = 0, 0
    try:
        for segment in segments(Cleaning(fd, KeepMetadata.ALL, max_bytes=_MAX_SCANNED_BYTES), 2):
            if segment.marker in _FRAMES and frame is None:
                frame = segment
            elif segment.marker == SOS:
                scans, first_scan = scans + 1, first_scan or segment.body
                if frame is None or frame.marker != _PROGRESSIVE or scans > MAX_SCANS:
                    break
    except (Unclear, OutOfTime):
        pass
    if frame is None or not scans or len(frame.head) < 5:
        return None
    precision, height, width = frame.head[0], frame.head[1:3], frame.head[3:5]
    return JpegHeader(
        int.from_bytes(width, "big"),
        int.from_bytes(height, "big"),
        frame.marker or 0,
        precision,
        scans,
        _ends(fd, first_scan),
    )


def _ends(fd: int, start: int) -> bool:
    """Whether an end marker stands behind `start`. It is looked for from the file's end, where it nearly always is.

    What may follow it, such as the video of a motion photo, is hardly so long without those two bytes in it.
    """
    end = os.fstat(fd).st_size
    least = max(start, end - _MAX_SCANNED_BYTES)
    piece_bytes = _LAST_BYTES
    while end > least:
        begin = max(least, end - piece_bytes)
        if os.pread(fd, end - begin + 1, begin).rfind(_EOI) >= 0:
            return True
        end, piece_bytes = begin, _PIECE_BYTES
    return False
