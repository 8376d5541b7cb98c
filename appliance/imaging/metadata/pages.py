"""Pages of a TIFF file: which of them show the image, and where their pixels are."""

from collections.abc import Iterator, Sequence

from appliance.imaging.directories import Directory, Entry, Reader, Unclear
from appliance.imaging.metadata.ranges import Range

_KIND, _WIDTH, _HEIGHT, _BITS, _CODING, _PHOTOMETRIC, _SAMPLES = 254, 256, 257, 258, 259, 262, 277
_REDUCED, _UNCODED, _OLD_JPEG, _YCBCR = 1, 1, 6, 6
_JPEG, _WEBP, _JPEG_TABLES = 7, 50001, 347
_HEAD_BYTES, _MAX_HEADS = 4096, 20_000
_BARE = frozenset({0xC4, 0xDB, 0xDD, *range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xD0)})
_PLACES = {273: 279, 324: 325, 513: 514}
"""Where strips, tiles and JPEGs of the old kind are, and the tag that says how long they are."""
_MAX_HALVINGS = 24
_NEAR_PX = 2
_MAX_CLASSIC_BYTES = 4 * 1024**3


def is_shown(reader: Reader, page: Directory, whole: Directory) -> bool:
    """Whether the page is an image, and no thumbnail of `whole`, which may show what was cropped away since.

    A smaller copy stays where it is a level of a pyramid: 2, 4, 8... times smaller than the whole.
    """
    width, height = _number(reader, page, _WIDTH), _number(reader, page, _HEIGHT)
    if not width or not height:
        return False
    if not _number(reader, page, _KIND) & _REDUCED:
        return True
    full = _number(reader, whole, _WIDTH), _number(reader, whole, _HEIGHT)
    return any(
        abs((full[0] >> times) - width) <= _NEAR_PX and abs((full[1] >> times) - height) <= _NEAR_PX
        for times in range(1, _MAX_HALVINGS)
    )


def _number(reader: Reader, page: Directory, tag: int, default: int = 0) -> int:
    entry = page.entry(tag)
    if entry is None or entry.count < 1 or entry.outside:
        return default
    return next(iter(reader.numbers(entry)), default)


class Pixels:
    """Where the pixels of the pages are; in `doubt` where the file doesn't say so beyond question.

    `unknown`: the place of some can't be read. `files`: some are images of their own that have metadata.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._noted: list[tuple[Directory, Entry, Entry | None]] = []
        self.unknown = self.files = False
        self.doubt = not reader.big and reader.memory.length > _MAX_CLASSIC_BYTES

    def note(self, page: Directory) -> None:
        """Take note of a page, which has only the entries that stay."""
        found = [(page, place, page.entry(_PLACES[place.tag])) for place in page.entries if place.tag in _PLACES]
        self._noted += found
        self.doubt |= not found or _number(self._reader, page, _CODING, _UNCODED) == _OLD_JPEG

    def ranges(self) -> Iterator[Range]:
        """Each strip and tile."""
        for page, places, lengths in self._noted:
            try:
                starts = self._reader.numbers(places)
                counts = self._reader.numbers(lengths) if lengths else ()
            except Unclear:
                self.doubt = self.unknown = True
                continue
            if len(counts) < len(starts) or min(counts, default=0) < 0 or self._is_short(page, sum(counts)):
                self.doubt = True
                self.unknown |= not self._is_uncoded(page)
                counts = [self._bytes(page)] * len(starts)
            self.files |= self._are_files(page, starts)
            yield from zip(starts, map(int.__add__, starts, counts), strict=False)

    def _are_files(self, page: Directory, starts: Sequence[int]) -> bool:
        coding, tables = _number(self._reader, page, _CODING, _UNCODED), page.entry(_JPEG_TABLES)
        if coding in (_JPEG, _WEBP) and len(starts) > _MAX_HEADS:
            return True
        if coding == _JPEG:
            heads = [self._reader.memory.read(start, _HEAD_BYTES) for start in starts]
            heads += [self._reader.value(tables)] if tables else []
            return not all(map(_is_bare, heads))
        return coding == _WEBP and any(self._reader.memory.read(start + 12, 4) == b"VP8X" for start in starts)

    def _is_uncoded(self, page: Directory) -> bool:
        return _number(self._reader, page, _CODING, _UNCODED) == _UNCODED

    def _is_short(self, page: Directory, found: int) -> bool:
        """Whether pixels that aren't coded take more than the page says: readers then go by their own reckoning."""
        if not found or not self._is_uncoded(page) or _number(self._reader, page, _PHOTOMETRIC) == _YCBCR:
            return not found
        return found < self._bytes(page)

    def _bytes(self, page: Directory) -> int:
        """What the page takes where it isn't coded."""
        bits = page.entry(_BITS)
        depth = next(iter(self._reader.numbers(bits)), 1) if bits else 1
        samples = _number(self._reader, page, _SAMPLES, 1)
        row = (_number(self._reader, page, _WIDTH) * samples * depth + 7) // 8
        return row * _number(self._reader, page, _HEIGHT)


def _is_bare(jpeg: bytes) -> bool:
    """Whether a JPEG begins with nothing but tables and its frame, and what JFIF and Adobe say of its colours."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] not in (0xDA, 0xD9):
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at + 1] not in _BARE and (jpeg[at + 1], length) not in ((0xE0, 16), (0xEE, 14)):
            return False
        at += 2 + length
    return jpeg[at : at + 2] in (b"\xff\xda", b"\xff\xd9", b"")
