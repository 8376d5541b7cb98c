"""The segments of a JPEG, in the header, between its scans and behind them, as libjpeg comes upon them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.cleaning import Cleaning
from appliance.imaging.metadata.dropping import tiles
from appliance.imaging.metadata.window import Window

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
HEAD_BYTES = 64
"""So much of each segment is read, for its mark."""
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_RESERVED = range(0x02, 0xC0)
_MAX_SEGMENTS = 300_000
_EMPTY = b"\xff\xef"
"""APP15 has no meaning: every decoder skips it, and exiftool finds nothing there."""
MIN_EMPTY_BYTES, _MAX_EMPTY_BYTES = 4, 2 + 0xFFFF
_CHUNK_BYTES = 4 * 1024 * 1024


class Segment(NamedTuple):
    """From its marker at `start` over its `body` to its `end`. `marker` None: bytes that belong to no segment."""

    marker: int | None
    start: int
    body: int
    end: int
    head: bytes
    """The body's first bytes."""


def segments(cleaning: Cleaning, start: int) -> Iterator[Segment]:
    """All that follow the SOI before `start`, the EOI as the last, if there is one; the data of scans is left out.

    Raises Unclear for what no decoder reads.
    """
    at, in_scan, window = start, False, Window(cleaning)
    for _ in range(_MAX_SEGMENTS):
        head = window.read(at, HEAD_BYTES + 4)
        if not _MARKER.match(head):
            found = _next_marker(cleaning, at)
            if not in_scan and found > at:
                yield Segment(None, at, at, found, b"")
            at = found
            head = window.read(at, HEAD_BYTES + 4)
            if len(head) < 2:
                return
        segment = _segment(head, at, cleaning.length)
        yield segment
        if segment.marker == EOI:
            return
        at, in_scan = segment.end, segment.marker == SOS
    raise Unclear("more segments than are looked at")


def _segment(head: bytes, at: int, length: int) -> Segment:
    marker = head[1]
    if marker == SOI or marker in _RESERVED:
        raise Unclear("a marker that no decoder takes")
    if marker == EOI:
        return Segment(marker, at, at + 2, at + 2, b"")
    size = max(2, int.from_bytes(head[2:4], "big"))
    end = min(at + 2 + size, length)
    return Segment(marker, at, min(at + 4, end), end, head[4 : 2 + size])


def _next_marker(cleaning: Cleaning, at: int) -> int:
    """Where the next one begins, or the file's end. Scans hold none, for they stuff each 0xFF with a zero."""
    while at < cleaning.length:
        chunk = cleaning.read(at, _CHUNK_BYTES)
        if found := _MARKER.search(chunk):
            return at + found.start()
        at += len(chunk) - 1 if chunk.endswith(b"\xff") and len(chunk) > 1 else len(chunk)
    return cleaning.length


def empty(cleaning: Cleaning, start: int, end: int) -> None:
    """Overwrite a range with segments that hold nothing, or with fill bytes (T.81, B.1.1.2) where it is too short."""
    if end - start < MIN_EMPTY_BYTES:
        cleaning.fill(start, end - start, 0xFF)
        return
    for first, last in tiles(start, end, min_bytes=MIN_EMPTY_BYTES, max_bytes=_MAX_EMPTY_BYTES):
        head = _EMPTY + (last - first - 2).to_bytes(2, "big")
        cleaning.put(first, cleaning.read(first, len(head)), head)
        cleaning.fill(first + len(head), last - first - len(head))
