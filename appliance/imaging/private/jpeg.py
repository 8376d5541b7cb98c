"""JPEG: the segments before the pixels, and what follows them: further pictures, videos of motion photos."""

from collections.abc import Iterator

from appliance.imaging.private.boxes import clean_boxes
from appliance.imaging.private.cleaning import Cleaning
from appliance.imaging.private.exif import EXIF_MARK, clean_exif, clean_resources
from appliance.imaging.private.xmp import clean_xmp

_XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION_MARK = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENSION_HEAD_BYTES = 40  # of each part: which packet it is of, how long that is, where the part belongs
_RESOURCES_MARK = b"Photoshop 3.0\0"
_APP1, _APP6, _APP11, _APP13 = 0xE1, 0xE6, 0xEB, 0xED
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_MAX_SEGMENTS = 100_000
_CHUNK_BYTES = 4 * 1024 * 1024
_SEARCHED_BYTES = 512 * 1024 * 1024
"""Behind the first pixels so much is searched; of what is larger, the end, and what lies between stays unknown."""
_TAIL_BYTES = 64 * 1024 * 1024
_MARKS = {EXIF_MARK: _APP1, _XMP_MARK: _APP1, _EXTENSION_MARK: _APP1, _RESOURCES_MARK: _APP13}
_LONGEST_MARK = 64


class _Parts:
    """Blocks that go over several segments, gathered until all are known."""

    def __init__(self) -> None:
        self.extension: dict[bytes, list[tuple[int, int]]] = {}
        self.resources: list[tuple[int, int]] = []

    def clean(self, cleaning: Cleaning) -> None:
        for pieces in self.extension.values():
            cleaning.block(pieces, clean_xmp)
        if self.resources:
            cleaning.block(self.resources, clean_resources)


def clean_jpeg(cleaning: Cleaning) -> None:
    """Everything that a JPEG file holds, its pixels excepted."""
    parts, at = _Parts(), 2
    for _ in range(_MAX_SEGMENTS):
        head = cleaning.read(at, 4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xDA, 0xD9):
            break
        if head[1] == 0xFF or head[1] in _ALONE:
            at += 1 if head[1] == 0xFF else 2
            continue
        size = int.from_bytes(head[2:], "big")
        _segment(cleaning, parts, head[1], at + 4, size - 2)
        at += 2 + max(size, 2)
    else:
        cleaning.complete = False
    parts.clean(cleaning)
    _rest(cleaning, at)


def _segment(cleaning: Cleaning, parts: _Parts, marker: int, at: int, length: int) -> None:
    head = cleaning.read(at, min(length, _LONGEST_MARK))
    if marker == _APP1 and head.startswith(EXIF_MARK):
        cleaning.block([(at, length)], clean_exif)
    elif marker == _APP1 and head.startswith(_XMP_MARK):
        cleaning.block([(at + len(_XMP_MARK), length - len(_XMP_MARK))], clean_xmp)
    elif marker == _APP1 and head.startswith(_EXTENSION_MARK):
        start = len(_EXTENSION_MARK) + _EXTENSION_HEAD_BYTES
        of = head[len(_EXTENSION_MARK) :][:20]
        parts.extension.setdefault(of, []).append((at + start, length - start))
    elif marker == _APP13 and head.startswith(_RESOURCES_MARK):
        parts.resources.append((at + len(_RESOURCES_MARK), length - len(_RESOURCES_MARK)))
    elif marker == _APP6 and head.startswith(b"GoPro\0"):  # where it was, once a second
        cleaning.fill(at + 6, length - 6)
    elif marker == _APP11:
        _judge_provenance(cleaning, at, length)


def _judge_provenance(cleaning: Cleaning, at: int, length: int) -> None:
    """Content credentials are signed: what they tell can't be taken out of them."""
    data = cleaning.read(at, length)
    if b"GPS" in data or b"SerialNumber" in data:
        cleaning.complete = False


def _rest(cleaning: Cleaning, start: int) -> None:
    """Behind the pixels' begin, where only a marker tells a segment: none can stand within pixels."""
    if cleaning.length - start > _SEARCHED_BYTES:
        start, cleaning.complete = cleaning.length - _TAIL_BYTES, False
    ended, video = False, None
    while start < cleaning.length:
        parts = _Parts()
        chunk = cleaning.read(start, _CHUNK_BYTES)
        for mark, at in _hits(chunk):
            before = chunk[at - 4 : at] if at >= 4 else cleaning.read(start + at - 4, 4)
            if before[:2] == bytes((0xFF, _MARKS[mark])):
                _segment(cleaning, parts, before[1], start + at, int.from_bytes(before[2:], "big") - 2)
        parts.clean(cleaning)
        if video is None and (found := _video(chunk, ended)) is not None:
            video = start + found
        ended |= b"\xff\xd9" in chunk
        start += _CHUNK_BYTES - _LONGEST_MARK if len(chunk) == _CHUNK_BYTES else _CHUNK_BYTES
    if video is not None:
        clean_boxes(cleaning, video, cleaning.length)


def _hits(chunk: bytes) -> Iterator[tuple[bytes, int]]:
    for mark in _MARKS:
        at = chunk.find(mark)
        while at >= 0:
            yield mark, at
            at = chunk.find(mark, at + 1)


def _video(chunk: bytes, ended: bool) -> int | None:
    """Where the video of a motion photo begins, somewhere behind the picture's end."""
    at = chunk.find(b"ftyp")
    while at >= 4:
        if chunk[at - 4 : at - 2] == b"\0\0" and (ended or chunk.rfind(b"\xff\xd9", 0, at) >= 0):
            return at - 4
        at = chunk.find(b"ftyp", at + 1)
    return None
