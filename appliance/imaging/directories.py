"""Directories of TIFF, which EXIF has too, read wherever they lie: classic TIFF and BigTIFF, in both byte orders."""

import struct
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8, 129: 1}
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_MAX_ENTRIES, _MAX_VALUES = 4096, 250_000


class Unclear(ValueError):
    """A part of a file that can't be looked into, or not be changed where it lies."""


class Memory(Protocol):
    """Something that holds a TIFF file of `length` bytes. `read` may raise Unclear."""

    @property
    def length(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...


class Block:
    """A TIFF file in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length = len(data)

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + max(0, length)] if offset >= 0 else b""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag. `at` and `length` say where its value lies; `raw` is the entry as it stands in the directory."""

    tag: int
    type: int
    count: int
    at: int
    length: int
    outside: bool
    raw: bytes

    @property
    def end(self) -> int:
        return self.at + self.length


@dataclass(frozen=True, slots=True)
class Directory:
    """Its entries, and where the next directory is. It lies from `at` to `end`."""

    at: int
    end: int
    entries: tuple[Entry, ...]
    following: int

    def entry(self, tag: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.tag == tag), None)


class Reader:
    """Reads what a TIFF file's header says of byte order and width."""

    def __init__(self, memory: Memory, order: str, *, big: bool) -> None:
        self.memory = memory
        self.order, self.big = order, big
        self.head_bytes = 16 if big else 8
        self._count, self._offset = ("Q", "Q") if big else ("H", "I")
        self._tag = struct.Struct(order + "H")
        self._entry = struct.Struct(order + ("HHQQ" if big else "HHII"))
        self._inline = 8 if big else 4

    @classmethod
    def of(cls, memory: Memory) -> Self | None:
        """None for what doesn't begin like a TIFF file."""
        head = memory.read(0, 16)
        if head[:4] in (b"II*\0", b"MM\0*") and len(head) >= 8:
            return cls(memory, "<" if head[:1] == b"I" else ">", big=False)
        if head[:8] in (b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0") and len(head) == 16:
            return cls(memory, "<" if head[:1] == b"I" else ">", big=True)
        return None

    @property
    def first(self) -> int:
        """Where the first directory is."""
        return self._number(self._offset, self.head_bytes // 2)

    def chain(self, seen: set[int]) -> Iterator[tuple[int, int]]:
        """Where the directories are that follow one another, and how many entries each has.

        Each comes once: none of those in `seen`, to which they are added. Raises Unclear where the file ends first.
        """
        at = self.first
        while at and at not in seen:
            seen.add(at)
            count = self._number(self._count, at)
            yield at, count
            at = self._number(self._offset, self._table(at) + count * self._entry.size)

    def directory(self, at: int, only: Container[int] | None = None) -> Directory:
        """The directory there, with `only` the first entry of each of such tags.

        Raises Unclear for one that isn't whole.
        """
        count = self._number(self._count, at)
        if count > _MAX_ENTRIES:
            raise Unclear("a directory of too many entries")
        start, size = self._table(at), self._entry.size
        end = start + count * size
        table = self.memory.read(start, count * size)
        if len(table) < count * size:
            raise Unclear("a directory that ends with the file")
        places = range(0, len(table), size) if only is None else self._first_of(only, table)
        entries = tuple(self._read_entry(table, start, place) for place in places)
        following = self._number(self._offset, end)
        return Directory(at, end + struct.calcsize(self.order + self._offset), entries, following)

    def _first_of(self, only: Container[int], table: bytes) -> list[int]:
        """Where in a table the first entry is of each of these tags."""
        found: dict[int, int] = {}
        for place in range(0, len(table), self._entry.size):
            [tag] = self._tag.unpack_from(table, place)
            if tag in only:
                found.setdefault(tag, place)
        return list(found.values())

    def _table(self, at: int) -> int:
        """Where the entries begin of the directory there."""
        return at + struct.calcsize(self.order + self._count)

    def _number(self, code: str, at: int) -> int:
        size = struct.calcsize(self.order + code)
        data = self.memory.read(at, size)
        if len(data) < size:
            raise Unclear("a number that ends with the file")
        found: int = struct.unpack(self.order + code, data)[0]
        return found

    def _read_entry(self, table: bytes, start: int, place: int) -> Entry:
        tag, type_, count, at = self._entry.unpack_from(table, place)
        raw = table[place : place + self._entry.size]
        length = _SIZES.get(type_, 1) * count
        if length <= self._inline:
            return Entry(tag, type_, count, start + place + self._entry.size - self._inline, length, False, raw)
        return Entry(tag, type_, count, at, length, True, raw)

    def value(self, entry: Entry) -> bytes:
        """The value's bytes. Raises Unclear for one that doesn't lie within the file."""
        return self._whole(entry.at, entry.length)

    def _whole(self, at: int, length: int) -> bytes:
        data = self.memory.read(at, length)
        if len(data) < length:
            raise Unclear("a value that ends with the file")
        return data

    def numbers(self, entry: Entry) -> Sequence[int]:
        """An entry's whole numbers; none for one that has others. Raises Unclear."""
        if entry.type in _NUMBERS and entry.count > _MAX_VALUES:
            raise Unclear("more numbers than are looked at")
        return self.first_numbers(entry, entry.count)

    def first_numbers(self, entry: Entry, limit: int) -> Sequence[int]:
        """The same, but so many at most, however many the entry has. Raises Unclear."""
        code = _NUMBERS.get(entry.type)
        if code is None:
            return ()
        count = min(entry.count, limit)
        data = self._whole(entry.at, count * _SIZES[entry.type])
        return struct.unpack(f"{self.order}{count}{code}", data)

    def pack_directory(self, raws: Sequence[bytes], following: int) -> bytes:
        """A directory of these entries."""
        count = struct.pack(self.order + self._count, len(raws))
        return count + b"".join(raws) + struct.pack(self.order + self._offset, following)

    def pack_entry(self, tag: int, type_: int, count: int, value: bytes) -> bytes:
        """An entry whose value is in it, or where it lies."""
        head = struct.pack(self.order + ("HHQ" if self.big else "HHI"), tag, type_, count)
        return head + value.ljust(self._inline, b"\0")

    def pack_offsets(self, type_: int, offsets: Sequence[int]) -> bytes:
        return struct.pack(f"{self.order}{len(offsets)}{_NUMBERS[type_]}", *offsets)
