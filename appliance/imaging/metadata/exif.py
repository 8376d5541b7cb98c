"""EXIF blocks, which other formats carry: what may stay is written into a block of the same length, from nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Block, Directory, Entry, Reader, Unclear
from appliance.imaging.metadata.photoshop import clean_resources
from appliance.imaging.metadata.tags import EXIF_IFD, INTEROP_IFD, ORIENTATION, Rules, allowed

__all__ = ["EXIF_MARK", "clean_exif", "clean_resources"]

EXIF_MARK = b"Exif\0\0"
_LONG = 4


@dataclass(frozen=True, slots=True)
class _Tag:
    tag: int
    type: int
    count: int
    value: bytes


@dataclass(frozen=True, slots=True)
class _Tags:
    """The tags that stay: of the first directory, of EXIF's own, and of interoperability's."""

    main: tuple[_Tag, ...] = ()
    exif: tuple[_Tag, ...] = ()
    interop: tuple[_Tag, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.main or self.exif or self.interop)

    def short(self) -> "_Tags":
        """Those whose value is in their entry."""
        return _Tags(*(tuple(tag for tag in tags if len(tag.value) <= 4) for tags in (self.main, self.exif)))


def clean_exif(block: bytes, keep: KeepMetadata) -> bytes:
    """An EXIF block, with or without its mark in front; all zeros where nothing of it may stay."""
    start = len(EXIF_MARK) if block.startswith(EXIF_MARK) else 0
    tiff = block[start:]
    reader = Reader.of(Block(tiff))
    if reader is None or reader.big:
        return bytes(len(block))
    found = _Found(reader, keep)
    if not found.tags:
        return bytes(len(block))
    if not found.extra and not _between(tiff, found.ranges):
        return block
    for tags in (found.tags, found.tags.short(), _Tags(found.tags.short().main)):
        written = _written(reader, tags) if tags else b""
        if 0 < len(written) <= len(tiff):
            return block[:start] + written.ljust(len(tiff), b"\0")
    return bytes(len(block))


class _Found:
    """What is in a block: the `tags` that may stay, the `ranges` they lie in, and whether there is anything `extra`."""

    def __init__(self, reader: Reader, keep: KeepMetadata) -> None:
        rules = allowed(keep)
        self._reader = reader
        self.extra = False
        self.ranges = [(0, reader.head_bytes)]
        main = self._directory(self._first())
        exif = self._directory(self._below(main, EXIF_IFD))
        interop = self._directory(self._below(exif, INTEROP_IFD))
        self.tags = _Tags(
            self._stay(main, rules.main, EXIF_IFD if exif else 0),
            self._stay(exif, rules.exif, INTEROP_IFD if interop else 0),
            self._stay(interop, rules.interop, 0),
        )

    def _first(self) -> int:
        try:
            return self._reader.first
        except Unclear:
            return 0

    def _directory(self, at: int) -> Directory | None:
        if not at or any(start <= at < end for start, end in self.ranges):
            return None
        try:
            found = self._reader.directory(at)
        except Unclear:
            self.extra = True
            return None
        self.extra |= found.following != 0
        self.ranges.append((at, found.end))
        return found

    def _below(self, directory: Directory | None, tag: int) -> int:
        entry = directory.entry(tag) if directory else None
        if entry is None or entry.count != 1 or entry.outside:
            return 0
        return next(iter(self._reader.numbers(entry)), 0)

    def _stay(self, directory: Directory | None, rules: Rules, pointer: int) -> tuple[_Tag, ...]:
        kept: dict[int, _Tag] = {}
        for entry in directory.entries if directory else ():
            if entry.tag == pointer and pointer:
                continue
            stays = entry.tag not in kept and entry.tag in rules and rules[entry.tag].allows(entry)
            found = self._read(entry) if stays else {}
            self.extra |= not found
            kept |= found
        return tuple(sorted(kept.values(), key=lambda tag: tag.tag))

    def _read(self, entry: Entry) -> dict[int, _Tag]:
        try:
            value = self._reader.value(entry)
        except Unclear:
            return {}
        if entry.outside:
            self.ranges.append((entry.at, entry.end))
        count = entry.count
        if entry.tag == ORIENTATION and count > 1:
            self.extra, value, count = True, value[: len(value) // count], 1
        return {entry.tag: _Tag(entry.tag, entry.type, count, value)}


def _between(tiff: bytes, ranges: Iterable[tuple[int, int]]) -> bool:
    """Whether anything but zeros is outside of these ranges."""
    left = bytearray(tiff)
    for start, end in ranges:
        left[start:end] = bytes(min(end, len(left)) - start)
    return any(left.strip(b"\0"))


def _written(reader: Reader, tags: _Tags) -> bytes:
    """A TIFF file of these tags: each directory, and its values behind it."""
    interop, exif = bool(tags.interop), bool(tags.exif or tags.interop)
    at = reader.head_bytes
    sizes = [_bytes(tags.main, exif), _bytes(tags.exif, interop) if exif else 0]
    head = reader.memory.read(0, 4) + reader.pack_offsets(_LONG, [at])
    data = _packed(reader, tags.main, at, (EXIF_IFD, at + sizes[0]) if exif else None)
    if exif:
        data += _packed(reader, tags.exif, at + sizes[0], (INTEROP_IFD, at + sum(sizes)) if interop else None)
    if interop:
        data += _packed(reader, tags.interop, at + sum(sizes), None)
    return head + data


def _bytes(tags: Sequence[_Tag], points: bool) -> int:
    outside = sum(len(tag.value) + len(tag.value) % 2 for tag in tags if len(tag.value) > 4)
    return 2 + 12 * (len(tags) + points) + 4 + outside


def _packed(reader: Reader, tags: Sequence[_Tag], at: int, pointer: tuple[int, int] | None) -> bytes:
    values, behind = b"", at + _bytes([tag for tag in tags if len(tag.value) <= 4], False)
    behind += 12 * (sum(len(tag.value) > 4 for tag in tags) + (pointer is not None))
    raws: dict[int, bytes] = {}
    for tag in tags:
        value = tag.value
        if len(value) > 4:
            value = reader.pack_offsets(_LONG, [behind + len(values)])
            values += tag.value + bytes(len(tag.value) % 2)
        raws[tag.tag] = reader.pack_entry(tag.tag, tag.type, tag.count, value)
    if pointer is not None:
        raws[pointer[0]] = reader.pack_entry(pointer[0], _LONG, 1, reader.pack_offsets(_LONG, [pointer[1]]))
    return reader.pack_directory([raws[tag] for tag in sorted(raws)], 0) + values
