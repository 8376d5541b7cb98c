"""Where the frames of a GIF lie, and what becomes of each before the next is drawn; its pixels are not read."""

import struct
from dataclasses import dataclass

from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.cleaning import Cleaning, OutOfTime
from appliance.imaging.metadata.gif import SubBlocks, after_table

MAX_FRAMES = 10_000
"""Of what is read. An animation of more is never shown moving."""
_PIECE_BYTES = 1024 * 1024
_HEAD_BYTES, _CONTROL_BYTES, _DESCRIPTOR_BYTES = 13, 8, 10
_EXTENSION, _IMAGE, _END = b"\x21", b"\x2c", b"\0"
_CONTROL = b"\x21\xf9\x04"
_TO_BACKGROUND = 2

Rectangle = tuple[int, int, int, int]
"""Left, top, width and height, in pixels of the canvas."""


@dataclass(frozen=True, slots=True)
class GifFrame:
    """`flags_at` is where the flags of its control lie; None where it has none. `end` is behind its pixels.

    A file that was cut short may end within the pixels of its last frame, which is not whole then.
    """

    place: Rectangle
    flags_at: int | None
    flags: int
    end: int
    is_whole: bool

    @property
    def is_cleared(self) -> bool:
        """Whether its place is empty before the next frame is drawn: "restore to background"."""
        return self._disposal == _TO_BACKGROUND

    @property
    def _disposal(self) -> int:
        return self.flags >> 2 & 7

    @property
    def has_see_through_colour(self) -> bool:
        return bool(self.flags & 1)

    def hides(self, place: Rectangle) -> bool:
        """Whether nothing of what was there shows once this frame is drawn, nor later."""
        left, top, width, height = self.place
        return (
            not self.has_see_through_colour
            and self._disposal <= _TO_BACKGROUND  # else what was there before comes back
            and left <= place[0]
            and top <= place[1]
            and left + width >= place[0] + place[2]
            and top + height >= place[1] + place[3]
        )


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of a file in order, the size of its canvas, and whether the file is complete."""

    canvas: tuple[int, int]
    frames: tuple[GifFrame, ...]
    is_whole: bool


def read_frames(fd: int) -> Frames | None:
    """The frames of an open GIF; None if they can't be read, or if there are too many."""
    cleaning = Cleaning(fd, KeepMetadata.ALL)
    try:
        head = cleaning.read(0, _HEAD_BYTES)
        if len(head) < _HEAD_BYTES:
            return None
        width, height = struct.unpack_from("<HH", head, 6)
        frames, end = _walk(cleaning, after_table(_HEAD_BYTES, head[10:11]))
        return Frames((width, height), tuple(frames), is_whole=end < cleaning.length)
    except (Unclear, OutOfTime):
        return None


def _walk(cleaning: Cleaning, at: int) -> tuple[list[GifFrame], int]:
    """The frames, and where what follows them is no block: the trailer, or the end of the file.

    Raises Unclear beyond `MAX_FRAMES`.
    """
    window, found = SubBlocks(cleaning, _PIECE_BYTES), list[GifFrame]()
    flags_at, flags = None, 0
    while len(found) <= MAX_FRAMES:
        kind = window.read(at, 1)
        if kind == _END:  # some writers leave one too many
            at += 1
        elif kind == _EXTENSION:
            control = window.read(at, _CONTROL_BYTES)
            if control.startswith(_CONTROL) and len(control) == _CONTROL_BYTES:
                flags_at, flags = at + len(_CONTROL), control[len(_CONTROL)] | flags & 1
            at = window.after_sub_blocks(at + 2)
        elif kind == _IMAGE and len(descriptor := window.read(at, _DESCRIPTOR_BYTES)) == _DESCRIPTOR_BYTES:
            at = window.after_sub_blocks(1 + after_table(at + _DESCRIPTOR_BYTES, descriptor[9:]))
            place, is_whole = struct.unpack_from("<4H", descriptor, 1), window.read(at - 1, 1) == _END
            found.append(GifFrame(place, flags_at, flags, at, is_whole))
            flags_at, flags = None, 0
        else:
            return found, at
    raise Unclear("more frames than are read")
