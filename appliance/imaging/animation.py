"""Animated renditions: every frame resized by itself, so that no frame bleeds into the next."""

import pyvips

from appliance.domain.formats import FormatSpec
from appliance.domain.renditions import Target
from appliance.imaging.colour import to_display
from appliance.imaging.encoders import encode_each
from appliance.imaging.resizing import Size, resized
from appliance.imaging.sources import open_picture

_TIMING = (("delay", pyvips.GValue.array_int_type), ("loop", pyvips.GValue.gint_type))


def animate(fd: int, kind: FormatSpec, sizes: dict[Target, Size]) -> dict[Target, bytes]:
    """Each target's file, all from one decode of the frames. Raises what `BROKEN` lists."""
    column = open_picture(fd, kind, frames=-1)
    largest = max(sizes.values())
    frames = _frames(column, largest)
    files: dict[Target, bytes] = {}
    for size in set(sizes.values()):
        of_size = frames if size == largest else [resized(frame, size).copy_memory() for frame in frames]
        wanted = {target: other for target, other in sizes.items() if other == size}
        files |= encode_each({size: _joined(of_size, column)}, wanted)
    return files


def _frames(column: pyvips.Image, size: Size) -> list[pyvips.Image]:
    """The frames at `size`, in memory. They are read strictly in order, for the decoder goes forward only."""
    height = column.get("page-height") if column.get_typeof("page-height") else column.height
    return [
        to_display(resized(column.crop(0, top, column.width, height), size).copy_memory()).copy_memory()
        for top in range(0, column.height - height + 1, height)
    ]


def _joined(frames: list[pyvips.Image], timing: pyvips.Image) -> pyvips.Image:
    joined = pyvips.Image.arrayjoin(frames, across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    for name, kind in _TIMING:
        if timing.get_typeof(name):
            joined.set_type(kind, name, timing.get(name))
    return joined
