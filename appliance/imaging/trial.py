"""Trials at upload: whether the decoder can do what is unusual in a file, so that `ready` is never said in vain."""

import pyvips

from appliance.domain import formats
from appliance.domain.formats import FormatSpec
from appliance.imaging.sources import BROKEN, is_permanent, open_picture

MAX_TRIAL_S = 0.6
"""What a trial may take, by the figures in `formats`. A picture that takes longer is believed until it fails."""
MAX_TRIAL_BYTES = 900 * 1024 * 1024


def is_affordable(kind: FormatSpec, width: int, height: int, memory_bytes: int) -> bool:
    """Whether the whole picture may be tried at upload. Of a TIFF the first lines are enough."""
    seconds = 0.0 if kind is formats.TIFF else width * height * formats.ACCEPTED[kind].decode_ns / 1e9
    return seconds <= MAX_TRIAL_S and memory_bytes <= MAX_TRIAL_BYTES


def can_decode(fd: int, kind: FormatSpec) -> bool:
    """Whether pixels come out. What the machine lacks at the moment says nothing of the picture."""
    try:
        image = open_picture(fd, kind, fail_on="error" if kind is formats.TIFF else "none")
        _read_through(image.crop(0, 0, image.width, 1) if kind is formats.TIFF else image)
    except BROKEN as error:
        return not is_permanent(error)
    return True


def _read_through(image: pyvips.Image) -> None:
    image.avg()
