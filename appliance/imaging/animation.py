"""Animated renditions: every frame resized by itself, so that no frame bleeds into the next."""

import pyvips

from appliance.domain.formats import FormatSpec
from appliance.domain.renditions import Shape, Target
from appliance.imaging.colour import to_display
from appliance.imaging.encoders import encode_each
from appliance.imaging.headers import TURNED, orientation_of
from appliance.imaging.resizing import Size, resized
from appliance.imaging.sources import open_picture

_TIMING = (("delay", pyvips.GValue.array_int_type), ("loop", pyvips.GValue.gint_type))


def animate(fd: int, kind: FormatSpec, shapes: dict[Target, Shape]) -> dict[Target, bytes]:
    """Each target's file, all from one decode of the frames. Raises what `BROKEN` lists."""
    column = open_picture(fd, kind, frames=-1)
    largest = max(shapes.values(), key=lambda one: one.whole)
    frames = _frames(column, largest.whole)
    files: dict[Target, bytes] = {}
    for one in set(shapes.values()):
        scaled = frames if one.whole == largest.whole else [resized(frame, one.whole).copy_memory() for frame in frames]
        wanted = {target: one.size for target, other in shapes.items() if other == one}
        files |= encode_each({one.size: _joined([_top(frame, one) for frame in scaled], column)}, wanted)
    return files


def _top(frame: pyvips.Image, one: Shape) -> pyvips.Image:
    return frame if one.shows_all else frame.crop(0, 0, *one.size)


def _frames(column: pyvips.Image, size: Size) -> list[pyvips.Image]:
    """The frames upright at `size`, in memory. They are read strictly in order, for the decoder goes forward only."""
    height = column.get("page-height") if column.get_typeof("page-height") else column.height
    orientation = orientation_of(column)
    stored = (size[1], size[0]) if orientation in TURNED else size
    tops = range(0, column.height - height + 1, height)
    return [_frame(column.crop(0, top, column.width, height), stored, orientation) for top in tops]


def _frame(frame: pyvips.Image, stored: Size, orientation: int) -> pyvips.Image:
    shown = to_display(resized(frame, stored).copy_memory())
    return (shown.autorot() if orientation > 1 else shown).copy_memory()


def _joined(frames: list[pyvips.Image], timing: pyvips.Image) -> pyvips.Image:
    joined = pyvips.Image.arrayjoin(frames, across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    for name, kind in _TIMING:
        if timing.get_typeof(name):
            joined.set_type(kind, name, timing.get(name))
    return joined
