"""Pyramids: an image once more as tiles at every power-of-two size, so that any part of it is at hand.

They are TIFFs of JPEG tiles, or of deflated ones where there is alpha; docs/decisions.md says why. The pixels lie as
they were stored, with their orientation, for turning a whole giant would hold it in memory.
"""

import pyvips

from appliance.domain.errors import CannotResize
from appliance.domain.regions import TILE_PX
from appliance.imaging.colour import to_display
from appliance.imaging.headers import orientation_of
from appliance.imaging.sniffing import kind_of
from appliance.imaging.sources import BROKEN, open_image

_QUALITY = 88
"""A cut is encoded once more; from 90 on libvips leaves chroma whole, which doubles the file."""
_MAX_LEVELS = 32

_FAILED = "The pyramid of this image can't be built. Its pixels can't be decoded, or there is not enough disk space."


def build_pyramid(fd: int, output_fd: int) -> None:
    """Writes the pyramid of the image in `fd` into `output_fd`, an empty file open for reading and writing.

    Raises CannotResize, EmptyUpload, UnsupportedFormat or NotAnImage.
    """
    try:
        image = open_image(fd, kind_of(fd))
        orientation = orientation_of(image)
        image = to_display(image, in_memory=False).copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
        image.tiffsave_target(pyvips.Target.new_to_descriptor(output_fd), **_options(image))
    except BROKEN as error:
        raise CannotResize(_FAILED) from error


def _options(image: pyvips.Image) -> dict[str, object]:
    compression = {"compression": "deflate", "predictor": "horizontal"} if image.hasalpha() else _JPEG
    return {
        "tile": True,
        "tile_width": TILE_PX,
        "tile_height": TILE_PX,
        "pyramid": True,
        "depth": "onetile",
        "bigtiff": True,
        "keep": "icc",
        **compression,
    }


_JPEG: dict[str, object] = {"compression": "jpeg", "Q": _QUALITY}


def open_levels(fd: int) -> list[pyvips.Image]:
    """The levels of a pyramid, the largest first, each half as wide as the one before. Raises what `BROKEN` lists."""
    levels = [_level(fd, 0)]
    count = int(levels[0].get("n-pages")) if levels[0].get_typeof("n-pages") else 1
    smaller = [_level(fd, number) for number in range(1, min(count, _MAX_LEVELS))]
    if levels[0].get_typeof("icc-profile-data"):
        for level in smaller:
            level.set_type(pyvips.GValue.blob_type, "icc-profile-data", levels[0].get("icc-profile-data"))
    return levels + smaller


def _level(fd: int, number: int) -> pyvips.Image:
    return pyvips.Image.tiffload_source(pyvips.Source.new_from_descriptor(fd), page=number, access="random")
