"""TIFF structure, which EXIF has too: directories of tags, read wherever they lie, in files of any size.

A private tag leaves its directory: the entries behind it move up, inside the directory alone, and its value is zeroed.
What anything else points to is never touched, pixels least of all, however a file's directories overlap.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from appliance.imaging.private.names import GPS_IFD, MAKER_NOTE, TAGS
from appliance.model import KeepMetadata

Cleaners = Mapping[int, Callable[[bytes, KeepMetadata], bytes]]
Range = tuple[int, int]

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_EXIF_IFD, _INTEROP_IFD, _SUB_IFDS, _ORIENTATION = 0x8769, 0xA005, 0x014A, 0x0112
_POINTERS = frozenset({_EXIF_IFD, _INTEROP_IFD, _SUB_IFDS})
_PIXELS = {0x0111: 0x0117, 0x0144: 0x0145, 0x0201: 0x0202}
"""Where strips, tiles and thumbnails lie, and the tag that tells how long they are."""
_MAX_ENTRIES, _MAX_DIRECTORIES, _MAX_DEPTH, _MAX_STRIPS = 4096, 20_000, 6, 4_000_000
_MAX_EMBEDDED_BYTES = 64 * 1024 * 1024


class Memory(Protocol):
    """Something that holds a TIFF file of `length` bytes."""

    @property
    def length(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Entry:
    """One tag. `at` and `length` tell where its value lies; `raw` is the entry as it stands in the directory."""

    tag: int
    type: int
    count: int
    at: int
    length: int
    outside: bool
    raw: bytes

    @property
    def range(self) -> Range:
        return self.at, self.at + self.length


@dataclass(slots=True)
class Plan:
    """What to do with a file: ranges to zero unless something is kept there, and bytes to write.

    `whole`: a maker note is among them. `complete` is false where something could not be looked into.
    """

    wipes: list[Range] = field(default_factory=list)
    writes: list[tuple[int, bytes]] = field(default_factory=list)
    keeps: list[Range] = field(default_factory=list)
    whole: bool = False
    complete: bool = True

    def wiped(self) -> list[Range]:
        """The ranges to zero, less what is kept."""
        keeps, left = _merged(self.keeps), []
        for wipe_start, end in _merged(self.wipes):
            start = wipe_start
            for keep_start, keep_end in keeps:
                if keep_end <= start or keep_start >= end:
                    continue
                if keep_start > start:
                    left.append((start, keep_start))
                start = keep_end
            if start < end:
                left.append((start, end))
        return left


class Walk:
    """A walk over every directory of a TIFF file, which starts at byte 0 of `memory`."""

    def __init__(self, memory: Memory, embedded: Cleaners, keep: KeepMetadata) -> None:
        self._keeping = keep
        self._memory = memory
        self._embedded = embedded
        self._plan = Plan()
        self._seen: set[int] = set()
        self._strips: list[tuple[_Entry, _Entry | None]] = []
        self._order, self._big = "<", False

    def plan(self) -> Plan | None:
        """None for what is no TIFF file. Raises what `memory.read` raises."""
        head = self._memory.read(0, 16)
        self._order = "<" if head[:2] == b"II" else ">"
        if head[:2] not in (b"II", b"MM") or len(head) < 8:
            return None
        self._big = self._number(head[2:4]) == 43
        first = self._number(head[8:16]) if self._big else self._number(head[4:8])
        self._plan.keeps.append((0, 16 if self._big else 8))
        self._chain(first)
        if self._plan.wipes or self._plan.writes:
            self._spare_pixels()
        return self._plan

    def _number(self, data: bytes) -> int:
        return int.from_bytes(data, "little" if self._order == "<" else "big")

    def _chain(self, offset: int) -> None:
        while offset:
            if offset in self._seen or len(self._seen) >= _MAX_DIRECTORIES or offset + 2 > self._memory.length:
                self._plan.complete &= offset in self._seen or offset + 2 > self._memory.length
                return
            _, offset = self._directory(offset, main=True, depth=0)

    def _directory(self, offset: int, *, main: bool, depth: int) -> tuple[bool, int]:
        """Clean the directory there; says whether anything is left of it, and where the next one is."""
        self._seen.add(offset)
        entries, end, following = self._entries(offset)
        kept = [entry for entry in entries if self._keep(entry, depth)]
        if kept == entries:
            self._plan.keeps.append((offset, end))
            return True, following
        if not kept and not main:
            self._plan.wipes.append((offset, end))
            return False, following
        self._rewrite(offset, end, kept or [self._upright()], following)
        return True, following

    def _entries(self, offset: int) -> tuple[list[_Entry], int, int]:
        counts, size, pointer = (8, 20, 8) if self._big else (2, 12, 4)
        count = self._number(self._memory.read(offset, counts))
        if count > _MAX_ENTRIES:
            self._plan.complete = False
            return [], offset + counts, 0
        start = offset + counts
        table = self._memory.read(start, count * size)
        entries = [self._entry(table[at : at + size], start + at) for at in range(0, len(table) - size + 1, size)]
        end = start + count * size
        following = self._number(self._memory.read(end, pointer)) if len(entries) == count else 0
        return entries, min(end + pointer, self._memory.length), following

    def _entry(self, raw: bytes, at: int) -> _Entry:
        tag, type_ = self._number(raw[:2]), self._number(raw[2:4])
        value = 12 if self._big else 8
        count, place = self._number(raw[4:value]), self._number(raw[value:])
        size = _SIZES.get(type_, 1) * count
        if size <= len(raw) - value:
            return _Entry(tag, type_, count, at + value, size, False, raw)
        return _Entry(tag, type_, count, place, min(size, max(0, self._memory.length - place)), True, raw)

    def _keep(self, entry: _Entry, depth: int) -> bool:
        if entry.tag in TAGS:
            self._plan.whole |= entry.tag == MAKER_NOTE
            self._wipe(entry)
            return False
        if entry.tag in _POINTERS and not self._follow(entry, depth):
            return False
        if entry.tag in _PIXELS or entry.tag in _PIXELS.values():
            self._note_strips(entry)
        if entry.tag in self._embedded and entry.outside:
            self._clean_embedded(entry)
        if entry.outside:
            self._plan.keeps.append(entry.range)
        return True

    def _wipe(self, entry: _Entry) -> None:
        if entry.outside:
            self._plan.wipes.append(entry.range)
        if entry.tag == GPS_IFD:
            for place in self._values(entry):
                self._wipe_directory(place)

    def _wipe_directory(self, offset: int) -> None:
        entries, end, _ = self._entries(offset)
        self._plan.wipes.append((offset, end))
        self._plan.wipes += [entry.range for entry in entries if entry.outside]

    def _follow(self, entry: _Entry, depth: int) -> bool:
        """Clean the directories that an entry points to; says whether anything is left of them."""
        left = False
        for place in self._values(entry):
            if place in self._seen or place + 2 > self._memory.length:
                left = True
            elif depth >= _MAX_DEPTH or len(self._seen) >= _MAX_DIRECTORIES:
                self._plan.complete, left = False, True
            else:
                left |= self._directory(place, main=entry.tag == _SUB_IFDS, depth=depth + 1)[0]
        return left

    def _values(self, entry: _Entry) -> Sequence[int]:
        """An entry's whole numbers."""
        width = _SIZES.get(entry.type, 0)
        code = {1: "B", 2: "H", 4: "I", 8: "Q"}.get(width)
        if code is None or entry.type in (5, 10, 11, 12) or entry.length > _MAX_STRIPS * width:
            self._plan.complete &= code is None
            return ()
        data = self._memory.read(entry.at, entry.length)
        return struct.unpack(f"{self._order}{len(data) // width}{code}", data[: len(data) // width * width])

    def _clean_embedded(self, entry: _Entry) -> None:
        if entry.length > _MAX_EMBEDDED_BYTES:
            self._plan.complete = False
            return
        data = self._memory.read(entry.at, entry.length)
        cleaned = self._embedded[entry.tag](data, self._keeping)
        if cleaned != data:
            self._plan.writes.append((entry.at, cleaned))

    def _rewrite(self, offset: int, end: int, kept: Sequence[_Entry], following: int) -> None:
        counts, pointer = ("Q", "Q") if self._big else ("H", "I")
        data = struct.pack(self._order + counts, len(kept)) + b"".join(entry.raw for entry in kept)
        data += struct.pack(self._order + pointer, following)
        self._plan.writes.append((offset, data.ljust(end - offset, b"\0")[: end - offset]))
        self._plan.keeps.append((offset, end))

    def _upright(self) -> _Entry:
        """A directory has an entry at least: one that says what is so without it."""
        form = f"{self._order}HH" + ("QH6x" if self._big else "IH2x")
        raw = struct.pack(form, _ORIENTATION, 3, 1, 1)
        return _Entry(_ORIENTATION, 3, 1, 0, 2, False, raw)

    # --- pixels -----------------------------------------------------------------------------------------------------

    def _note_strips(self, entry: _Entry) -> None:
        if entry.tag in _PIXELS:
            self._strips.append((entry, None))
            return
        for number in range(len(self._strips) - 1, -1, -1):
            places, lengths = self._strips[number]
            if lengths is None and _PIXELS[places.tag] == entry.tag:
                self._strips[number] = (places, entry)
                return

    def _spare_pixels(self) -> None:
        """Keep strips, tiles and thumbnails; a write into them is none of ours."""
        pixels: list[Range] = []
        for places, lengths in self._strips:
            if lengths is not None:
                pairs = zip(self._values(places), self._values(lengths), strict=False)
                pixels += [(start, start + length) for start, length in pairs]
        pixels = _merged(pixels)
        self._plan.keeps += pixels
        spared = [(at, data) for at, data in self._plan.writes if not _overlaps(pixels, at, at + len(data))]
        if len(spared) < len(self._plan.writes):
            self._plan.writes, self._plan.complete = spared, False


def _merged(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _overlaps(ranges: Sequence[Range], start: int, end: int) -> bool:
    return any(first < end and start < last for first, last in ranges)
