"""Trials at upload: whether the decoder can do what is unusual in a file, so that `ready` is never said in vain."""

import itertools

import pyvips

from appliance.domain import formats
from appliance.domain.formats import FormatSpec
from appliance.imaging.colour import flattened, to_display
from appliance.imaging.resizing import resized
from appliance.imaging.sources import BROKEN, is_permanent, open_image
from appliance.imaging.tiff import PyramidLevel

MAX_TRIAL_S = 0.6
"""What a trial may take, by the figures in `formats`. An image that takes longer is believed until it fails."""
_GLANCE_PX, _SAME, _SAME_SHARE = 256, 1, 0.25
"""What two pages are compared at, and how far they may be apart to show the same: so much of 255, and of what the
first one's own pixels are apart from its mean. Two white pages with other words are about as far apart as that."""
_NOTHING_SHARE = 0.001
"""Of an incomplete image's pixels: a decoder that finds none still guesses a block or two."""
_MIDDLE_GREY, _WHITE = 128, 255
_BY_LINES = (formats.TIFF, formats.PNG)
"""Formats whose decoders give the first lines without the rest."""
MAX_TRIAL_BYTES = 900 * 1024 * 1024


def is_affordable(kind: FormatSpec, width: int, height: int, memory_bytes: int) -> bool:
    """Whether the image may be tried at upload. Of a TIFF and PNG the first lines are enough."""
    seconds = 0.0 if kind in _BY_LINES else width * height * formats.ACCEPTED[kind].decode_ns / 1e9
    return seconds <= MAX_TRIAL_S and memory_bytes <= MAX_TRIAL_BYTES


def can_decode(fd: int, kind: FormatSpec, *, is_incomplete: bool) -> bool:
    """Whether pixels come out. What the machine lacks at the moment says nothing of the image.

    Where the file is incomplete, a decoder fills what is missing: such an image may have no pixels left.
    """
    try:
        if kind in _BY_LINES:
            image = open_image(fd, kind, fail_on="error", is_mapped=False)
            image.crop(0, 0, image.width, 1).copy_memory()
            return True
        return _has_content(open_image(fd, kind)) or not is_incomplete
    except BROKEN as error:
        return not is_permanent(error)


def _has_content(image: pyvips.Image) -> bool:
    """Whether more than a few pixels are not what decoders fill in: nothing, or middle grey. Decodes all of it."""
    if image.hasalpha():
        filled = image.extract_band(image.bands - 1) == 0
    else:
        filled = ((image - _MIDDLE_GREY).abs() <= 1).bandand()
    return float(filled.avg()) < _WHITE * (1 - _NOTHING_SHARE)


def count_copies(fd: int, halves: tuple[PyramidLevel, ...], pixels: int) -> int:
    """How many of a TIFF's further pages are smaller copies of its first, which has so many pixels.

    None are where that would take long to find out.
    """
    if not halves or pixels * formats.ACCEPTED[formats.TIFF].decode_ns / 1e9 > MAX_TRIAL_S:
        return 0
    try:
        first = _glance(fd, None)
        limit = _SAME + _SAME_SHARE * (first - first.avg()).abs().avg()
        copies = (bool((first - _glance(fd, level)).abs().avg() <= limit) for level in halves)
        return sum(itertools.takewhile(bool, copies))
    except BROKEN:
        return 0


def _glance(fd: int, level: PyramidLevel | None) -> pyvips.Image:
    """A page so small that only what it shows is left."""
    image = to_display(open_image(fd, formats.TIFF, level=level))
    return flattened(resized(image.copy_memory(), (_GLANCE_PX, _GLANCE_PX))).colourspace("b-w").copy_memory()
