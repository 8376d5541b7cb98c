"""The boxes of HEIF and its kin: walking them in a file or in memory, reading their fields, and emptying them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.cleaning import Cleaning
from appliance.imaging.metadata.dropping import tiles

MAX_BOXES = 100_000
_EMPTY = b"free"
_HANDLERS = frozenset({b"", b"libavif", b"pict", b"PictureHandler"})
"""What programs call the handler of an image; any other name may be a person's words."""
_EMPTY_BYTES, _MAX_EMPTY_BYTES = 8, 1 << 31


@dataclass(frozen=True, slots=True)
class Box:
    """From its `start` over its `body` to its `end`."""

    kind: bytes
    start: int
    body: int
    end: int


def boxes(read: Callable[[int, int], bytes], start: int, end: int) -> Iterator[Box]:
    """The boxes from `start` on, until `end` or to what is none. Raises Unclear for more than are looked at."""
    for _ in range(MAX_BOXES):
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
        yield Box(head[4:8], start, body, min(start + size, end))
        start += size
    raise Unclear("more boxes than are looked at")


def empty(cleaning: Cleaning, start: int, end: int) -> None:
    """Make boxes that are there to be skipped of a range of the file."""
    if end - start < _EMPTY_BYTES:
        cleaning.fill(start, end - start)
        return
    for first, last in tiles(start, end, min_bytes=_EMPTY_BYTES, max_bytes=_MAX_EMPTY_BYTES):
        head = (last - first).to_bytes(4, "big") + _EMPTY
        cleaning.put(first, cleaning.read(first, len(head)), head)
        cleaning.fill(first + len(head), last - first - len(head))


class Held:
    """A box whose whole body, which begins at byte `offset` of the file, is held in memory and changed there."""

    def __init__(self, data: bytes, offset: int) -> None:
        self.data = data
        self.offset = offset
        self.after = bytearray(data)

    def boxes(self, start: int, end: int) -> Iterator[Box]:
        return boxes(lambda at, length: self.data[at : at + length], start, end)

    def empty(self, box: Box) -> None:
        """The box becomes one that is there to be skipped."""
        self.after[box.start + 4 : box.start + 8] = _EMPTY
        self.clear(box.body, box.end)

    def clear(self, start: int, end: int) -> None:
        self.after[start:end] = bytes(max(0, end - start))

    def write(self, start: int, data: bytes) -> None:
        self.after[start : start + len(data)] = data


def clear_handler(held: Held, hdlr: Box) -> None:
    """Clear a handler's name, unless it tells nothing."""
    if held.data[hdlr.body + 24 : hdlr.end].strip(b"\0") not in _HANDLERS:
        held.clear(hdlr.body + 24, hdlr.end)


class BoxFields:
    """Numbers, one after another."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self._end = data, end
        self.at = at

    @property
    def left(self) -> int:
        return self._end - self.at

    def number(self, length: int) -> int:
        if self.at + length > self._end:
            raise Unclear("a box ends within a number")
        self.at += length
        return int.from_bytes(self._data[self.at - length : self.at], "big")

    def text(self) -> bytes:
        found = self._data[self.at : self._end].partition(b"\0")[0]
        self.at += len(found) + 1
        return found
