"""GIFs of which a part is open: what no frame has drawn, and the place of a frame that is restored to background.

Browsers show through there. libvips gives alpha only where a frame says that it has a see-through colour; otherwise it
paints what is open black, and what is restored in the background's colour. So it reads a copy in which such a frame
stays, and another one that says so comes behind it: in the same place, drawing nothing, and cleared instead of it.
"""

import itertools
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.imaging.gif_frames import Frames, GifFrame, read_frames

MAX_BYTES = 64 * 1024 * 1024
"""Of a file that is copied; a larger one is shown as it was."""
_DISPOSAL, _STAYS = 0x1C, 0x04
_EMPTY_CONTROL = bytes((0x21, 0xF9, 4, 0x09, 0, 0, 0, 0))  # restored to background, colour 0 is see-through
_EMPTY_PIXELS = bytes((0, 2, 2, 0x44, 0x01, 0))  # one of colour 0


@dataclass(frozen=True, slots=True)
class Copy:
    """A file in memory, to be closed; how many frames it has, and which of them are the original's."""

    fd: int
    count: int
    shown: Sequence[int]


def copy_with_alpha(fd: int) -> Copy | None:
    """A copy that libvips shows as browsers show the open GIF; None where it does so anyway, or can't be helped."""
    if os.fstat(fd).st_size > MAX_BYTES or (found := read_frames(fd)) is None:
        return None
    emptied = _emptied(found)
    if not emptied:
        return None
    frames = found.frames
    steps = (2 if number in emptied else 1 for number in range(len(frames)))
    *shown, count = itertools.accumulate(steps, initial=0)
    return Copy(_written(os.pread(fd, MAX_BYTES, 0), frames, emptied), count, shown)


def _emptied(found: Frames) -> frozenset[int]:
    """The frames behind which an empty one is needed."""
    frames = found.frames
    pairs = enumerate(itertools.pairwise(frames))
    restored = frozenset(number for number, (frame, after) in pairs if _shows_background(frame, after))
    if restored or not frames or frames[0].hides((0, 0, *found.canvas)):
        return restored
    has_alpha = any(frame.has_see_through_colour for frame in frames)
    return restored if has_alpha or not frames[-1].is_whole else frozenset((len(frames) - 1,))


def _shows_background(frame: GifFrame, after: GifFrame) -> bool:
    return frame.is_cleared and not frame.has_see_through_colour and not after.hides(frame.place)


def _written(data: bytes, frames: Sequence[GifFrame], emptied: frozenset[int]) -> int:
    copy = os.memfd_create("gif")
    at = 0
    with os.fdopen(os.dup(copy), "wb") as file:
        for number in sorted(emptied):
            frame = frames[number]
            if frame.flags_at is not None:
                file.write(data[at : frame.flags_at] + bytes((frame.flags & ~_DISPOSAL | _STAYS,)))
                at = frame.flags_at + 1
            file.write(data[at : frame.end])
            file.write(_EMPTY_CONTROL + b"\x2c" + struct.pack("<4H", *frame.place) + _EMPTY_PIXELS)
            at = frame.end
        file.write(data[at:])
    return copy
