"""The boxes of HEIF and MP4: items that hold EXIF and XMP, and places that phones note in videos."""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass

from appliance.imaging.private.cleaning import Cleaner, Cleaning, Unclear
from appliance.imaging.private.exif import clean_exif
from appliance.imaging.private.xmp import clean_xmp
from appliance.model import KeepMetadata

_CONTAINERS = frozenset({b"moov", b"udta", b"trak", b"mdia", b"mpvd"})
_PLACES = frozenset({b"\xa9xyz", b"loci"})
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_PLACE_KEY = b"location.ISO6709"
_MAX_BOXES, _MAX_DEPTH, _MAX_META_BYTES = 100_000, 6, 64 * 1024 * 1024
_UNREADABLE = frozenset({b"jumb", b"c2pa"})


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    body: int
    end: int


def clean_heif(cleaning: Cleaning) -> None:
    """A whole HEIC or AVIF file."""
    clean_boxes(cleaning, 0, cleaning.length)


def clean_boxes(cleaning: Cleaning, start: int, end: int, depth: int = 0) -> None:
    """The boxes from `start` to `end`, and those in them that are known to hold others."""
    if depth > _MAX_DEPTH:
        cleaning.complete = False
        return
    for box in _boxes(cleaning.read, start, end):
        if box.kind in _CONTAINERS:
            clean_boxes(cleaning, box.body, box.end, depth + 1)
        elif box.kind in _PLACES:
            _free(cleaning, box)
        elif box.kind == b"meta":
            _meta(cleaning, box)
        elif box.kind == b"uuid" and cleaning.read(box.body, 16) == _XMP_UUID:
            cleaning.block([(box.body + 16, box.end - box.body - 16)], clean_xmp)
        elif box.kind in _UNREADABLE or (box.kind == b"uuid" and b"c2pa" in cleaning.read(box.body, 64)):
            cleaning.complete = False  # signed: what it tells can't be taken out of it


def _boxes(read: Callable[[int, int], bytes], start: int, end: int) -> Iterator[_Box]:
    for _ in range(_MAX_BOXES):
        head = read(start, 16) if start + 8 <= end else b""
        if len(head) < 8:
            return
        size, body = int.from_bytes(head[:4], "big"), start + 8
        if size == 1 and len(head) == 16:
            size, body = int.from_bytes(head[8:], "big"), start + 16
        elif size == 0:
            size = end - start
        if size < body - start:
            return
        yield _Box(head[4:8], start, body, min(start + size, end))
        start += size


def _free(cleaning: Cleaning, box: _Box) -> None:
    """The box becomes one of those that are there to be skipped."""
    cleaning.put(box.start + 4, box.kind, b"free")
    cleaning.fill(box.body, box.end - box.body)


def _meta(cleaning: Cleaning, box: _Box) -> None:
    if box.end - box.body > _MAX_META_BYTES:
        cleaning.complete = False
        return
    data = cleaning.read(box.body, box.end - box.body)
    if _PLACE_KEY in data:
        _free(cleaning, box)
        return
    start = 0 if data[4:8] == b"hdlr" else 4  # QuickTime's has no version in front
    children = list(_boxes(lambda at, length: data[at : at + length], start, len(data)))
    parts = {child.kind: child for child in children}
    if b"iinf" not in parts or b"iloc" not in parts:
        return
    try:
        holders = _holders(data, parts[b"iinf"])
        base = box.body + parts[b"idat"].body if b"idat" in parts else None
        for item, pieces in _locations(data, parts[b"iloc"], holders.keys(), base):
            cleaning.block(pieces, holders[item])
    except (Unclear, IndexError):
        cleaning.complete = False


class _Fields:
    """Numbers, one after another."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self._at, self._end = data, at, end

    def number(self, length: int) -> int:
        if self._at + length > self._end:
            raise Unclear("a box ends within a number")
        self._at += length
        return int.from_bytes(self._data[self._at - length : self._at], "big")

    def text(self) -> bytes:
        found = self._data[self._at : self._end].partition(b"\0")[0]
        self._at += len(found) + 1
        return found


def _holders(data: bytes, iinf: _Box) -> dict[int, Cleaner]:
    """The items that hold metadata, and how each is cleaned."""
    version = data[iinf.body]
    start = iinf.body + (6 if version == 0 else 8)
    found: dict[int, Cleaner] = {}
    for box in _boxes(lambda at, length: data[at : at + length], start, iinf.end):
        fields = _Fields(data, box.body, box.end)
        kind_version = fields.number(4) >> 24
        if box.kind != b"infe" or kind_version < 2:
            continue
        item, _ = fields.number(2 if kind_version == 2 else 4), fields.number(2)
        kind, _ = fields.number(4).to_bytes(4, "big"), fields.text()
        if kind == b"Exif":
            found[item] = _clean_exif_item
        elif kind == b"mime":
            content, encoding = fields.text(), fields.text()
            if content == b"application/rdf+xml":
                found[item] = _refuse if encoding else clean_xmp
    return found


def _clean_exif_item(data: bytes, keep: KeepMetadata) -> bytes:
    """The item begins with how far on its TIFF header is."""
    start = 4 + int.from_bytes(data[:4], "big")
    return data[:start] + clean_exif(data[start:], keep)


def _refuse(_data: bytes, _keep: KeepMetadata) -> bytes:
    raise Unclear("metadata that is compressed")


def _locations(
    data: bytes, iloc: _Box, wanted: Container[int], idat: int | None
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """The pieces (offset, length) of each wanted item. Raises Unclear."""
    fields = _Fields(data, iloc.body, iloc.end)
    version = fields.number(4) >> 24
    sizes = fields.number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    for _ in range(fields.number(wide)):
        item = fields.number(wide)
        method = fields.number(2) & 15 if version in (1, 2) else 0
        elsewhere, base = fields.number(2), fields.number(base_size)
        pieces = []
        for _ in range(fields.number(2)):
            fields.number(index_size)
            offset, length = fields.number(offset_size), fields.number(length_size)
            pieces.append((base + offset, length))
        if item not in wanted:
            continue
        if elsewhere or method > 1 or not length_size or (method == 1 and idat is None):
            raise Unclear("an item that lies elsewhere")
        yield item, [(offset + (idat or 0), length) for offset, length in pieces] if method else pieces
