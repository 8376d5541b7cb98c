"""GIF: frames, their controls, the loop and a profile stay, XMP is cleaned, everything else becomes an empty block.

Readers that don't know XMP's block take each byte of it for the length of a sub-block; the trailer behind it catches
them wherever they land. Blanks are such a length too, so the chain still ends where it did.
"""

from appliance.imaging.metadata.cleaning import Cleaning
from appliance.imaging.metadata.dropping import Ranges, cleaned
from appliance.imaging.metadata.icc import clean_icc
from appliance.imaging.metadata.window import Window
from appliance.imaging.metadata.xmp import clean_xmp

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_LOOPS = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})
XMP, PROFILE = b"XMP DataXMP", b"ICCRGBG1012"
XMP_TRAILER = bytes((1, *range(0xFF, -1, -1), 0))
_MAX_XMP_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_MAX_CONTROL_BYTES, _MAX_LOOP_BYTES, _MAX_PROFILE_BYTES = 64, 32, 4 * 1024 * 1024
_EMPTY = b"!\xff\x0b" + b"NOTHING 1.0"
"""An application's block, which readers skip when they don't know the application."""


class SubBlocks(Window):
    """The file in large pieces."""

    def after_sub_blocks(self, at: int) -> int:
        """Where the sub-blocks that begin there have ended, or the file's end."""
        end = self._cleaning.length
        while at < end:
            self.read(at, 1)
            data, place, size = self.data, at - self.start, len(self.data)
            while place < size:
                length = data[place]
                place += 1 + length
                if not length:
                    return self.start + place
            at = self.start + place
        return end


def after_table(at: int, flags: bytes) -> int:
    """Behind the colours that may stand there."""
    return at + (3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0)


def clean_gif(cleaning: Cleaning) -> None:
    """Every block of a GIF file; behind its trailer it is cut."""
    _Walk(cleaning).blocks()


class _Walk:
    """Decides block by block what stays."""

    def __init__(self, cleaning: Cleaning) -> None:
        self._cleaning = cleaning
        self._window = SubBlocks(cleaning, _CHUNK_BYTES)
        self._drops = Ranges()
        self._xmp = self._profile = False

    def blocks(self) -> None:
        at, kind = after_table(6 + 7, self._window.read(10, 1)), _TRAILER
        while at < self._cleaning.length:
            kind = self._window.read(at, 1)[0]
            if kind == _TRAILER:
                break
            if kind == _IMAGE:
                at = self._window.after_sub_blocks(1 + after_table(at + 10, self._window.read(at + 9, 1)))
            elif kind == _EXTENSION:
                at = self._extension(at)
            elif kind == 0:  # some writers leave one too many
                at += 1
            else:
                self._cleaning.complete = False
                break
        self._empty()
        if at + 1 < self._cleaning.length and kind == _TRAILER:
            self._cleaning.cut_at = at + 1

    def _extension(self, at: int) -> int:
        """Keep what may stay of the extension; gives where it ends."""
        label, name = self._window.read(at + 1, 1), self._window.read(at + 3, 11)
        if label == b"\xff" and name == XMP and not self._xmp:
            self._xmp = True
            if end := self._clean_xmp(at):
                return end
        end = self._window.after_sub_blocks(at + 2)
        is_control = label == b"\xf9" and end - at <= _MAX_CONTROL_BYTES
        is_loop = label == b"\xff" and name in _LOOPS and end - at <= _MAX_LOOP_BYTES
        if is_control or is_loop:
            self._blank(at + 2, end, (4,) if is_control else (len(name), 3))
        elif not (label == b"\xff" and name == PROFILE and self._clean_profile(at + 14, end)):
            self._drops.add(at, end)
        return end

    def _blank(self, at: int, end: int, kept: tuple[int, ...]) -> None:
        """Zeros in the sub-blocks there, but for so many bytes of each of the first."""
        data, place, number = bytearray(self._cleaning.read(at, end - at)), 0, 0
        before = bytes(data)
        while place < len(data) and data[place]:
            first, stop = place + 1, min(place + 1 + data[place], len(data))
            first += kept[number] if number < len(kept) else 0
            data[first:stop] = bytes(max(0, stop - first))
            place, number = stop, number + 1
        self._cleaning.put(at, before, bytes(data))

    def _clean_xmp(self, at: int) -> int:
        """Where the packet's block ends; 0 when it has no trailer, and is a block as others are."""
        packet, trailer, _ = self._cleaning.read(at + 14, _MAX_XMP_BYTES).partition(XMP_TRAILER)
        if not trailer:
            return 0
        end = at + 14 + len(packet) + len(trailer)
        after = cleaned(packet, clean_xmp, self._cleaning.keep)
        if after is None:
            self._drops.add(at, end)
        else:
            self._cleaning.put(at + 14, packet, after)
        return end

    def _clean_profile(self, at: int, end: int) -> bool:
        """Keep a profile, which lies in sub-blocks; says whether there was one."""
        if self._profile or end - at > _MAX_PROFILE_BYTES:
            return False
        self._profile = True
        data, pieces, place = self._cleaning.read(at, end - at), list[tuple[int, int]](), 0
        while place < len(data) and data[place]:
            pieces.append((at + place + 1, data[place]))
            place += 1 + data[place]
        before = b"".join(data[start - at : start - at + length] for start, length in pieces)
        after = cleaned(before, clean_icc, self._cleaning.keep)
        if after is None or after == before:
            return after is not None
        for start, length in pieces:
            self._cleaning.put(start, data[start - at : start - at + length], after[:length])
            after = after[length:]
        return True

    def _empty(self) -> None:
        ranges = self._drops.merged()
        if ranges and ranges[-1][1] >= self._cleaning.length:
            self._cleaning.cut_at = ranges.pop()[0]
        for start, end in ranges:
            if end - start < len(_EMPTY) + 1 or end - start == len(_EMPTY) + 2:
                self._put(start, _no_comment(end - start))
            else:
                self._empty_block(start, end)

    def _empty_block(self, start: int, end: int) -> None:
        """Sub-blocks of 255 bytes, all of them 0xFF as their length is, so that one byte fills any range."""
        self._put(start, _EMPTY)
        start, end = start + len(_EMPTY), end - 1
        rest = (end - start) % 256
        if rest == 1:  # a sub-block has two bytes at least
            rest += 256
        self._cleaning.fill(start, end - start - rest, 0xFF)
        lengths = [254, 1] if rest == 257 else [rest - 1] if rest else []
        self._put(end - rest, b"".join(bytes((length,)) + b"\xff" * length for length in lengths) + b"\0")

    def _put(self, at: int, data: bytes) -> None:
        self._cleaning.put(at, self._cleaning.read(at, len(data)), data)


def _no_comment(length: int) -> bytes:
    """Comments of no text, which are too short for a block of another kind."""
    if length % 3 == 0:
        return b"!\xfe\0" * (length // 3)
    return b"!\xfe" + bytes((length - 4,)) + b" " * (length - 4) + b"\0"
