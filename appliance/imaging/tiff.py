"""The directories of a TIFF, read without libtiff: which pages it has, and which are smaller copies of the first.

Every read is bounded: directories may be many, lie anywhere, point at each other, or claim what they like.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

MAX_DIRECTORIES = 10_000
MAX_WORK, _DIRECTORY_WORK = 10_000_000, 400
"""libtiff reads every directory before it gives a pixel, and compares each entry of a directory with the others there.

Counted are those comparisons, of 70 ns, and 400 more for a directory: 10,000 pages of 20 entries go, in half a second.
"""
_MAX_LEVELS = 24
_MAX_ENTRIES = 1024
_SUBFILE_TYPE, _WIDTH, _HEIGHT, _ORIENTATION, _ROWS_PER_STRIP = 254, 256, 257, 274, 278
_PLANES, _TILE_HEIGHT, _SUB_DIRECTORIES = 284, 323, 330
_WANTED = {_SUBFILE_TYPE, _WIDTH, _HEIGHT, _ORIENTATION, _ROWS_PER_STRIP, _PLANES, _TILE_HEIGHT, _SUB_DIRECTORIES}
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_REDUCED, _MASK = 1, 4
_SEPARATE = 2


@dataclass(frozen=True, slots=True)
class Directory:
    """One picture in the file. `block_lines` are the lines that can only be had together; 0 where it can be any."""

    width: int
    height: int
    orientation: int
    reduced: bool
    mask: bool
    block_lines: int
    sub_directories: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """A smaller copy of the first page: `page` as libvips counts them, or `subifd` of the first."""

    width: int
    height: int
    page: int = 0
    subifd: int = -1


@dataclass(frozen=True, slots=True)
class Pages:
    """What the file shows: how many pictures there are, and the smaller copies of the first."""

    count: int
    block_lines: int
    levels: tuple[Level, ...]


def is_excessive(fd: int) -> bool:
    """Whether libtiff would take long over the directories alone."""
    return any(work > MAX_WORK for work in _File(fd).work())


def first(fd: int) -> Directory:
    """The first directory. Raises ValueError where it can't be read."""
    directory = next(_File(fd).chain(), None)
    if directory is None:
        raise ValueError("a TIFF begins with a directory that has a size")
    return directory


def pages(fd: int) -> Pages:
    """What the file's directories tell. A file whose directories can't be followed has one page."""
    file = _File(fd)
    chain = list(file.chain())
    if not chain:
        return Pages(1, 0, ())
    first, others = chain[0], chain[1:]
    levels = [Level(one.width, one.height, page=at) for at, one in _copies(first, others)]
    held = {level.page for level in levels}
    shown = [one for at, one in enumerate(others, 1) if at not in held and not one.reduced and not one.mask]
    below = enumerate(file.directory(at) for at in first.sub_directories)
    levels += [Level(one.width, one.height, subifd=at) for at, one in below if one and _copies_of(first, one)]
    return Pages(1 + len(shown), first.block_lines, tuple(levels))


def _copies(first: Directory, others: list[Directory]) -> Iterator[tuple[int, Directory]]:
    """The pages behind the first that are said to be reduced, or have half the size of the one before."""
    above = first
    for at, one in enumerate(others[:_MAX_LEVELS], 1):
        if not _copies_of(first, one) or not (one.reduced or _halves(above, one)):
            return
        yield at, one
        above = one


def _copies_of(first: Directory, other: Directory) -> bool:
    """Whether it is smaller and as wide for its height."""
    if other.mask or not 0 < other.width < first.width or not 0 < other.height < first.height:
        return False
    expected = first.height * other.width / first.width
    return abs(other.height - expected) <= max(2.0, expected / 100)


def _halves(above: Directory, one: Directory) -> bool:
    return abs(above.width - 2 * one.width) <= 2 and abs(above.height - 2 * one.height) <= 2


class _File:
    """A TIFF's bytes, in their order and width: classic with offsets of four bytes, BigTIFF with eight."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        head = os.pread(fd, 16, 0).ljust(16, b"\0")
        self._order = "<" if head[:2] == b"II" else ">"
        self._big = struct.unpack(self._order + "H", head[2:4])[0] == 43
        self._offset = "Q" if self._big else "I"
        self._first: int = struct.unpack(self._order + self._offset, head[8:16] if self._big else head[4:8])[0]

    def chain(self) -> Iterator[Directory]:
        """The directories one behind the other, each once."""
        at, seen = self._first, set[int]()
        while at and at not in seen and len(seen) < MAX_DIRECTORIES:
            seen.add(at)
            entries, at = self._entries(at)
            directory = self._directory(entries)
            if directory is None:
                return
            yield directory

    def work(self) -> Iterator[int]:
        """What reading the directories costs, as far as they were followed."""
        at, seen, work = self._first, set[int](), 0
        counting, entry, _ = self._shape
        head, size = struct.calcsize("=" + counting), struct.calcsize("=" + entry)
        while at and at not in seen:
            seen.add(at)
            [count] = self._unpacked(counting, at) or [0]
            work += _DIRECTORY_WORK + count * count
            yield work
            [at] = self._unpacked(self._offset, at + head + count * size) or [0]

    def directory(self, at: int) -> Directory | None:
        return self._directory(self._entries(at)[0])

    def _directory(self, entries: dict[int, tuple[int, ...]]) -> Directory | None:
        def one(tag: int, default: int = 0) -> int:
            return next(iter(entries.get(tag, ())), default)

        width, height = one(_WIDTH), one(_HEIGHT)
        if not width or not height:
            return None
        tiled = one(_TILE_HEIGHT)
        strip = min(height, one(_ROWS_PER_STRIP, height)) if one(_PLANES) == _SEPARATE else 0
        kind = one(_SUBFILE_TYPE)
        return Directory(
            width,
            height,
            one(_ORIENTATION, 1),
            bool(kind & _REDUCED),
            bool(kind & _MASK),
            tiled or strip,
            entries.get(_SUB_DIRECTORIES, ()),
        )

    @cached_property
    def _shape(self) -> tuple[str, str, int]:
        """How the count of entries and one entry are packed, and the bytes of an entry's value."""
        return ("Q", "HHQ8s", 8) if self._big else ("H", "HHI4s", 4)

    def _entries(self, at: int) -> tuple[dict[int, tuple[int, ...]], int]:
        """The values of the tags that matter, and where the next directory is; nothing where the file ends first."""
        counting, entry, _ = self._shape
        [count] = self._unpacked(counting, at) or [0]
        if not 0 < count <= _MAX_ENTRIES:
            return {}, 0
        at += struct.calcsize("=" + counting)
        size = struct.calcsize("=" + entry)
        body = self._read(count * size, at)
        found = {}
        whole = len(body) - len(body) % size
        for tag, kind, values, inline in struct.iter_unpack(self._order + entry, body[:whole]):
            if tag in _WANTED and kind in _CODES:
                found[tag] = self._values(kind, min(values, _MAX_LEVELS), inline)
        [following] = self._unpacked(self._offset, at + count * size) or [0]
        return found, following

    def _values(self, kind: int, count: int, inline: bytes) -> tuple[int, ...]:
        code = f"{count}{_CODES[kind]}"
        if struct.calcsize("=" + code) <= len(inline):
            return struct.unpack_from(self._order + code, inline)
        [at] = struct.unpack(self._order + self._offset, inline)
        return self._unpacked(code, at)

    def _unpacked(self, code: str, at: int) -> tuple[int, ...]:
        size = struct.calcsize("=" + code)
        data = self._read(size, at)
        return struct.unpack(self._order + code, data) if len(data) == size else ()

    def _read(self, size: int, at: int) -> bytes:
        return os.pread(self._fd, size, at) if at < 2**63 else b""
