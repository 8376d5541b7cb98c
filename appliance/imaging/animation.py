"""Animated renditions: every frame resized by itself, so that no frame bleeds into the next."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyvips

from appliance.domain import formats
from appliance.domain.formats import FormatSpec
from appliance.domain.renditions import Shape, Target
from appliance.imaging.apng import canvases
from appliance.imaging.apng_frames import read_animation
from appliance.imaging.colour import to_display, to_srgb
from appliance.imaging.encoders import encode_each
from appliance.imaging.headers import TURNED, orientation_of
from appliance.imaging.resizing import Size, resized
from appliance.imaging.sources import open_frames, open_image


@dataclass(frozen=True, slots=True)
class _Frames:
    """The frames of a file as they are stored, one after another, and how long each is shown, in milliseconds."""

    images: Iterable[pyvips.Image]
    delays_ms: list[int]
    loop: int
    orientation: int


def animate(fd: int, kind: FormatSpec, shapes: dict[Target, Shape]) -> dict[Target, bytes]:
    """Each target's file, all from one decode of the frames. Raises what `BROKEN` lists."""
    stored = _png_frames(fd) if kind is formats.PNG else _column_frames(fd, kind)
    largest = max(shapes.values(), key=lambda one: one.whole)
    frames = [_shown(image, largest.whole, stored.orientation) for image in stored.images]
    files: dict[Target, bytes] = {}
    for one in set(shapes.values()):
        scaled = frames
        if one.whole != largest.whole:
            scaled = [resized(frame, one.whole).copy_memory() for frame in frames]
        wanted = {target: one.size for target, other in shapes.items() if other == one}
        files |= encode_each({one.size: _joined([_top(frame, one) for frame in scaled], stored)}, wanted)
    return files


def _png_frames(fd: int) -> _Frames:
    animation = read_animation(fd)
    delays_ms = [frame.delay_ms for frame in animation.frames]
    orientation = orientation_of(open_image(fd, formats.PNG))
    return _Frames(canvases(fd, animation), delays_ms, animation.plays, orientation)


def _column_frames(fd: int, kind: FormatSpec) -> _Frames:
    """Those that libvips gives as one column. They are read strictly in order, for the decoder goes forward only."""
    column, shown = open_frames(fd, kind)
    height = column.get("page-height") if column.get_typeof("page-height") else column.height
    images = (column.crop(0, number * height, column.width, height) for number in shown)
    delays_ms = column.get("delay") if column.get_typeof("delay") else []
    if delays_ms:
        delays_ms = [delays_ms[number] for number in shown]
    loop = column.get("loop") if column.get_typeof("loop") else 0
    return _Frames(images, delays_ms, loop, orientation_of(column))


def _top(frame: pyvips.Image, one: Shape) -> pyvips.Image:
    return frame if one.shows_all else frame.crop(0, 0, *one.size)


def _shown(image: pyvips.Image, size: Size, orientation: int) -> pyvips.Image:
    """A frame upright at `size`, in memory; in sRGB, for Chrome passes over the profile of a moving WebP."""
    stored = (size[1], size[0]) if orientation in TURNED else size
    shown = to_srgb(to_display(resized(image, stored).copy_memory()))
    return (shown.autorot() if orientation > 1 else shown).copy_memory()


def _joined(frames: list[pyvips.Image], stored: _Frames) -> pyvips.Image:
    joined = pyvips.Image.arrayjoin(frames, across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    joined.set_type(pyvips.GValue.gint_type, "loop", stored.loop)
    if stored.delays_ms:
        joined.set_type(pyvips.GValue.array_int_type, "delay", stored.delays_ms)
    return joined
