"""The pages of a TIFF, read without libtiff: how many it has, and which are smaller copies of the first.

Every read is bounded: directories may be many, lie anywhere, point at each other, or claim what they like.
"""

import operator
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from appliance.imaging.directories import Entry, Reader, Unclear
from appliance.imaging.file_bytes import FileBytes

MAX_DIRECTORIES = 10_000
MAX_WORK, _DIRECTORY_WORK = 10_000_000, 400
"""libtiff reads every directory before it gives a pixel, and compares each entry of a directory with the others there.

Counted are those comparisons, of 70 ns, and 400 more for a directory: 10,000 pages of 20 entries go, in half a second.
"""
_MAX_LEVELS = 24
_MAX_BLOCKS = 10_000
"""Strips or tiles of which the place is looked at."""
_SUBFILE_TYPE, _WIDTH, _HEIGHT, _ORIENTATION, _ROWS_PER_STRIP = 254, 256, 257, 274, 278
_PLANES, _TILE_HEIGHT, _SUB_DIRECTORIES = 284, 323, 330
_BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 258, 259, 262, 277, 338, 339
_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES = 273, 279, 324, 325
_WANTED = frozenset(
    {
        *(_SUBFILE_TYPE, _WIDTH, _HEIGHT, _ORIENTATION, _ROWS_PER_STRIP, _PLANES, _TILE_HEIGHT, _SUB_DIRECTORIES),
        *(_BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _EXTRA_SAMPLES, _SAMPLE_FORMAT),
    }
)
_PLACES = frozenset((_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES))
_ORDINARY_COMPRESSIONS = frozenset((1, 2, 3, 4, 5, 7, 8, 32773, 32946))
"""None, the fax codes, LZW, JPEG, Deflate (twice) and PackBits: every libtiff reads these."""
YCBCR = 6
_ORDINARY_COLOURS = frozenset((0, 1, 2, 3, 5, YCBCR))
"""Grey either way round, RGB, palette, CMYK, YCbCr."""
_ORDINARY_BITS, _ORDINARY_BITS_OF_ONE = frozenset((8, 16)), frozenset((1, 4, 8, 16))
"""Of samples, and of the only sample of a pixel."""
_OLD_JPEG = 6
_UNSIGNED = 1
_REDUCED, _MASK = 1, 4
_SEPARATE = 2


@dataclass(frozen=True, slots=True)
class Page:
    """One image in the file. `block_lines` are the lines that can only be had together; 0 where it can be any."""

    width: int
    height: int
    orientation: int
    reduced: bool
    mask: bool
    block_lines: int
    sub_directories: tuple[int, ...]
    is_ordinary: bool = True
    """Whether every decoder reads such samples; others have to be tried."""
    is_misread: bool = False
    """Whether libvips may give wrong pixels of it without an error: a JPEG as TIFF 6.0 had them, or deep YCbCr."""
    compression: int = 1
    photometric: int = 1
    samples: int = 1
    extra_samples: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PyramidLevel:
    """A smaller copy of the first page: `page` as libvips counts them, or `subifd` of the first."""

    width: int
    height: int
    page: int = 0
    subifd: int = -1


@dataclass(frozen=True, slots=True)
class Pages:
    """What the file shows: how many images there are, and the smaller copies of the first.

    `halves` are those of the images that may be copies too: nothing says so, but each has half the size of the one
    before. Only their pixels tell.
    """

    count: int
    block_lines: int
    levels: tuple[PyramidLevel, ...]
    halves: tuple[PyramidLevel, ...] = ()


def is_excessive(fd: int) -> bool:
    """Whether libtiff would take long over the directories alone."""
    reader, work = Reader.of(FileBytes(fd)), 0
    with suppress(Unclear):  # libtiff can't follow what comes behind either
        for _, count in reader.chain(set()) if reader else ():
            work += _DIRECTORY_WORK + count * count
            if work > MAX_WORK:
                return True
    return False


def first_page(fd: int) -> Page:
    """The first image. Raises ValueError where it can't be read."""
    reader = Reader.of(FileBytes(fd))
    page = next(_chain(reader), None) if reader else None
    if page is None:
        raise ValueError("a TIFF begins with a directory that has a size")
    return page


def is_complete(fd: int) -> bool:
    """Whether the first image's strips or tiles lie within the file; True also where it can't be determined."""
    reader = Reader.of(FileBytes(fd))
    with suppress(Unclear):
        if reader is None:
            return True
        directory = reader.directory(reader.first, _PLACES)
        for offsets_tag, counts_tag in ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES)):
            offsets, counts = directory.entry(offsets_tag), directory.entry(counts_tag)
            if offsets is not None and counts is not None:
                starts, lengths = reader.first_numbers(offsets, _MAX_BLOCKS), reader.first_numbers(counts, _MAX_BLOCKS)
                return max(map(operator.add, starts, lengths), default=0) <= reader.memory.length
    return True


def pages(fd: int) -> Pages:
    """What the file's directories tell. A file whose directories can't be followed has one page."""
    reader = Reader.of(FileBytes(fd))
    chain = list(_chain(reader)) if reader else []
    if reader is None or not chain:
        return Pages(1, 0, ())
    first, others = chain[0], chain[1:]
    levels = [PyramidLevel(one.width, one.height, page=at) for at, one in _copies(first, others)]
    halves = [] if levels else [PyramidLevel(one.width, one.height, page=at) for at, one in _halves(first, others)]
    held = {level.page for level in levels}
    shown = [one for at, one in enumerate(others, 1) if at not in held and not one.reduced and not one.mask]
    below = enumerate(_page(reader, at) for at in first.sub_directories)
    levels += [PyramidLevel(one.width, one.height, subifd=at) for at, one in below if one and _copies_of(first, one)]
    return Pages(1 + len(shown), first.block_lines, tuple(levels), tuple(halves))


def _copies(first: Page, others: list[Page]) -> Iterator[tuple[int, Page]]:
    """The pages behind the first that are said to be reduced."""
    for at, one in enumerate(others[:_MAX_LEVELS], 1):
        if not _copies_of(first, one) or not one.reduced:
            return
        yield at, one


def _halves(first: Page, others: list[Page]) -> Iterator[tuple[int, Page]]:
    """The pages behind the first of which each has half the size of the one before."""
    above = first
    for at, one in enumerate(others[:_MAX_LEVELS], 1):
        if not _copies_of(first, one) or not _is_half(above, one):
            return
        yield at, one
        above = one


def _copies_of(first: Page, other: Page) -> bool:
    """Whether it is smaller and as wide for its height."""
    if other.mask or not 0 < other.width < first.width or not 0 < other.height < first.height:
        return False
    expected = first.height * other.width / first.width
    return abs(other.height - expected) <= max(2.0, expected / 100)


def _is_half(above: Page, one: Page) -> bool:
    return abs(above.width - 2 * one.width) <= 2 and abs(above.height - 2 * one.height) <= 2


def _chain(reader: Reader) -> Iterator[Page]:
    """The pages one behind the other, up to the first directory that is none."""
    with suppress(Unclear):
        for number, (at, _) in enumerate(reader.chain(set())):
            page = _page(reader, at)
            if page is None or number == MAX_DIRECTORIES:
                return
            yield page


def _page(reader: Reader, at: int) -> Page | None:
    """The page of the directory there; None where it has no size, or isn't whole."""
    try:
        directory = reader.directory(at, _WANTED)
    except Unclear:
        return None
    numbers = {entry.tag: _numbers(reader, entry) for entry in directory.entries}

    def one(tag: int, default: int = 0) -> int:
        return next(iter(numbers.get(tag, ())), default)

    width, height, kind = one(_WIDTH), one(_HEIGHT), one(_SUBFILE_TYPE)
    if width < 1 or height < 1:
        return None
    strip = min(height, one(_ROWS_PER_STRIP, height)) if one(_PLANES) == _SEPARATE else 0
    compression, photometric, bits = one(_COMPRESSION, 1), one(_PHOTOMETRIC, 1), set(numbers.get(_BITS, (1,)))
    return Page(
        width,
        height,
        one(_ORIENTATION, 1),
        bool(kind & _REDUCED),
        bool(kind & _MASK),
        one(_TILE_HEIGHT) or strip,
        tuple(numbers.get(_SUB_DIRECTORIES, ())),
        is_ordinary=not (one(_TILE_HEIGHT) and one(_PLANES) == _SEPARATE)  # which libvips does not read
        and compression in _ORDINARY_COMPRESSIONS
        and photometric in _ORDINARY_COLOURS
        and bits <= (_ORDINARY_BITS_OF_ONE if one(_SAMPLES, 1) == 1 else _ORDINARY_BITS)
        and set(numbers.get(_SAMPLE_FORMAT, (_UNSIGNED,))) == {_UNSIGNED},
        is_misread=compression == _OLD_JPEG or (photometric == YCBCR and bits != {8}),
        compression=compression,
        photometric=photometric,
        samples=one(_SAMPLES, 1),
        extra_samples=tuple(numbers.get(_EXTRA_SAMPLES, ())),
    )


def _numbers(reader: Reader, entry: Entry) -> Sequence[int]:
    """The first few of an entry's numbers; none where they can't be read."""
    try:
        return reader.first_numbers(entry, _MAX_LEVELS)
    except Unclear:
        return ()
