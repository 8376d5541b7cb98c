"""Animated PNG (PNG, third edition): decodes the frames, which libvips does not read.

Each frame is put into a PNG of its own, which libvips decodes, and drawn onto the canvas as its control chunk says.
"""

import os
from collections.abc import Iterator

import pyvips

from appliance.domain import formats
from appliance.imaging.apng_frames import Animation, Frame, frame_file
from appliance.imaging.sources import open_image

_TO_BACKGROUND, _TO_PREVIOUS = 1, 2
_OVER = 1
_OF_THE_FILE = ("icc-profile-data", "orientation", "hdr-transfer", "hdr-primaries")
"""What is said of the whole file, and holds for the canvas too."""


def canvases(fd: int, animation: Animation) -> Iterator[pyvips.Image]:
    """Yield what each frame shows, in memory: RGBA of 8 bits, in the colours of the file.

    Raises what `sources.BROKEN` lists.
    """
    width, height = animation.size
    canvas = _empty(width, height)
    for number, frame in enumerate(animation.frames):
        pixels = _pixels(fd, animation, frame)
        shown = _drawn(canvas, pixels, frame)
        for name in _OF_THE_FILE:
            if pixels.get_typeof(name):
                shown.set_type(pixels.get_typeof(name), name, pixels.get(name))
        yield shown
        disposal = _TO_BACKGROUND if number == 0 and frame.disposal == _TO_PREVIOUS else frame.disposal
        if disposal == _TO_BACKGROUND:
            canvas = shown.insert(_empty(frame.width, frame.height), frame.left, frame.top).copy_memory()
        elif disposal != _TO_PREVIOUS:
            canvas = shown


def _drawn(canvas: pyvips.Image, pixels: pyvips.Image, frame: Frame) -> pyvips.Image:
    if frame.blending == _OVER:
        below = canvas.crop(frame.left, frame.top, frame.width, frame.height)
        pixels = below.composite2(pixels, "over").cast("uchar")
    return canvas.insert(pixels, frame.left, frame.top).copy(interpretation="srgb").copy_memory()


def _pixels(fd: int, animation: Animation, frame: Frame) -> pyvips.Image:
    """A frame's own pixels, decoded from a PNG that holds nothing else."""
    copy = frame_file(fd, animation, frame)
    try:
        return _with_alpha(open_image(copy, formats.PNG)).copy_memory()
    finally:
        os.close(copy)


def _with_alpha(image: pyvips.Image) -> pyvips.Image:
    if image.format == "ushort":
        image = (image >> 8).cast("uchar")
    if image.bands < 3:
        grey = image.extract_band(0)
        rest = [image.extract_band(1)] if image.bands == 2 else []
        profile = image
        image = grey.bandjoin([grey, grey, *rest])
        if profile.get_typeof("icc-profile-data"):
            image.remove("icc-profile-data")  # of grey, which three bands are not
    image = image.copy(interpretation="srgb")
    return image if image.bands == 4 else image.bandjoin(255)


def _empty(width: int, height: int) -> pyvips.Image:
    return pyvips.Image.black(width, height, bands=4).copy(interpretation="srgb")
