"""TIFF files made entry by entry, for what no writer makes of its own accord."""

import struct
from dataclasses import dataclass, field

Entry = tuple[int, int, bytes]
"""Tag, type and value."""
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 13: 4}


def short(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}H", *numbers)


def long(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


@dataclass
class Maker:
    """A little-endian classic TIFF that grows: values and pixels first, then their directory."""

    data: bytearray = field(default_factory=lambda: bytearray(b"II*\0\0\0\0\0"))
    pointer: int = 4

    def put(self, data: bytes) -> int:
        self.data += bytes(len(self.data) % 2)
        at = len(self.data)
        self.data += data
        return at

    def directory(self, entries: list[Entry]) -> int:
        table = b""
        for tag, kind, value in sorted(entries):
            inline = value if len(value) <= 4 else long(self.put(value))
            table += struct.pack("<HHI", tag, kind, len(value) // _SIZES[kind]) + inline.ljust(4, b"\0")
        return self.put(short(len(entries)) + table + bytes(4))

    def picture(self, width: int, height: int, fill: bytes, *more: Entry, counted: bool = True) -> int:
        """A directory with grey pixels, not coded."""
        pixels = (fill * (width * height))[: width * height]
        entries: list[Entry] = [
            (256, 3, short(width)),
            (257, 3, short(height)),
            (258, 3, short(8)),
            (259, 3, short(1)),
            (262, 3, short(1)),
            (273, 4, long(self.put(pixels))),
            (277, 3, short(1)),
            (278, 3, short(height)),
        ]
        if counted:
            entries.append((279, 4, long(len(pixels))))
        return self.directory([*entries, *more])

    def page(self, at: int) -> None:
        """The directory there is the next page."""
        self.data[self.pointer : self.pointer + 4] = long(at)
        [count] = struct.unpack_from("<H", self.data, at)
        self.pointer = at + 2 + 12 * count

    def file(self) -> bytes:
        return bytes(self.data)
