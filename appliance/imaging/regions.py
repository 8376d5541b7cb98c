"""Cutting regions: from an original's pixels, from a rendition of it, or from the levels of its pyramid."""

from collections.abc import Callable

import pyvips

from appliance.domain import formats
from appliance.domain.errors import CannotResize
from appliance.domain.formats import FormatSpec
from appliance.domain.regions import HELD_BYTES, Cut, Material, Quality, Region, bounds
from appliance.domain.renditions import Facts
from appliance.imaging.colour import flattened, to_display, to_srgb
from appliance.imaging.encoders import encode
from appliance.imaging.headers import TURNED, orientation_of
from appliance.imaging.pyramid import open_levels
from appliance.imaging.resizing import Size, resized
from appliance.imaging.sniffing import kind_of
from appliance.imaging.sources import BROKEN, is_permanent, open_image

RESERVE = 1.33
"""As in render.py: how much larger than the result a decoder's own shrinking must leave the region."""
_JPEG_SHRINKS = (4, 2)
_MIDDLE_GREY = 128

_DAMAGED = "This part of the image can't be rendered. Its pixels can't be decoded, or need too much memory."


def cut_all(
    fd: int, facts: Facts, material: Material, cuts: tuple[Cut, ...], *, held_bytes: int = HELD_BYTES
) -> list[tuple[Size, bytes]]:
    """Size and file of every cut, in their order. `facts` are the original's, whatever smaller version `fd` holds.

    One decode serves all cuts if what they cover takes no more than `held_bytes`; otherwise each has its own.
    Raises CannotResize, which is final for what `fd` holds, EmptyUpload, UnsupportedFormat or NotAnImage.
    """
    try:
        pixels = _pyramid_pixels(fd) if material is Material.PYRAMID else _decoded(fd, facts, cuts, held_bytes)
        return [_finished(pixels(cut), cut) for cut in cuts]
    except BROKEN as error:
        refusal = CannotResize(_DAMAGED)
        refusal.final = material is not Material.RENDITION and is_permanent(error)
        raise refusal from error


Pixels = Callable[[Cut], pyvips.Image]
"""Gives a cut's pixels upright and at its size, in whatever colours they are stored."""


def _decoded(fd: int, facts: Facts, cuts: tuple[Cut, ...], held_bytes: int) -> Pixels:
    """From an image that can only be read from top to bottom."""
    kind = kind_of(fd)
    image = open_image(fd, kind)
    orientation = orientation_of(image)
    places = {cut: _stored(cut.region, orientation, facts) for cut in cuts}
    shrink = _shrink(image, kind, cuts, tuple(places.values()))
    scale = image.width / (facts.height if orientation in TURNED else facts.width) / shrink
    if shrink > 1:
        image = open_image(fd, kind, shrink=shrink)
    part = _scaled(bounds(tuple(places.values())), scale, image)
    if part.width * part.height * image.bands * _sample_bytes(image) > held_bytes:

        def decoded_again(cut: Cut) -> pyvips.Image:
            place = _scaled(places[cut], scale, image)
            return _sized(_cropped(open_image(fd, kind, shrink=shrink), place), cut, orientation)

        return decoded_again
    held = _cropped(image, part).copy_memory()

    def pixels(cut: Cut) -> pyvips.Image:
        place = _scaled(places[cut], scale, image)
        inside = Region(place.x - part.x, place.y - part.y, place.width, place.height)
        return _sized(_cropped(held, inside), cut, orientation)

    return pixels


def _pyramid_pixels(fd: int) -> Pixels:
    """From the smallest level that is large enough."""
    levels = open_levels(fd)
    orientation = orientation_of(levels[0])
    turned = orientation in TURNED
    facts = _displayed(levels[0], turned=turned)

    def pixels(cut: Cut) -> pyvips.Image:
        number = max(0, min(int(cut.reduction), 1 << (len(levels) - 1)).bit_length() - 1)
        level = levels[number]
        place = _scaled(_stored(cut.region, orientation, facts), level.width / levels[0].width, level)
        return _sized(_cropped(level, place), cut, orientation)

    return pixels


def _displayed(image: pyvips.Image, *, turned: bool) -> Facts:
    width, height = (image.height, image.width) if turned else (image.width, image.height)
    return Facts("image/tiff", width, height)


def _shrink(image: pyvips.Image, kind: FormatSpec, cuts: tuple[Cut, ...], places: tuple[Region, ...]) -> int:
    """How far a JPEG's decoder may shrink it, so that every region still begins and ends between two pixels."""
    if kind is not formats.JPEG:
        return 1
    reduction = min(cut.reduction for cut in cuts)
    for shrink in _JPEG_SHRINKS:
        if reduction >= shrink * RESERVE and all(_divisible(place, shrink, image) for place in places):
            return shrink
    return 1


def _divisible(place: Region, by: int, image: pyvips.Image) -> bool:
    right, bottom = place.x + place.width, place.y + place.height
    ends = (right % by == 0 or right == image.width) and (bottom % by == 0 or bottom == image.height)
    return ends and place.x % by == 0 and place.y % by == 0


def _stored(region: Region, orientation: int, facts: Facts) -> Region:
    """Where a region of the displayed image lies in the stored one. The orientations are those of EXIF."""
    from_right = facts.width - region.x - region.width
    from_bottom = facts.height - region.y - region.height
    across, down = {
        1: (region.x, region.y),
        2: (from_right, region.y),
        3: (from_right, from_bottom),
        4: (region.x, from_bottom),
        5: (region.y, region.x),
        6: (region.y, from_right),
        7: (from_bottom, from_right),
        8: (from_bottom, region.x),
    }[orientation]
    if orientation in TURNED:
        return Region(across, down, region.height, region.width)
    return Region(across, down, region.width, region.height)


def _scaled(region: Region, scale: float, image: pyvips.Image) -> Region:
    """The region in an image that is `scale` times as large as the one it refers to."""
    if scale == 1:
        return region
    left = min(round(region.x * scale), image.width - 1)
    top = min(round(region.y * scale), image.height - 1)
    right = min(max(round((region.x + region.width) * scale), left + 1), image.width)
    bottom = min(max(round((region.y + region.height) * scale), top + 1), image.height)
    return Region(left, top, right - left, bottom - top)


def _cropped(image: pyvips.Image, region: Region) -> pyvips.Image:
    return image.crop(region.x, region.y, region.width, region.height)


def _sized(part: pyvips.Image, cut: Cut, orientation: int) -> pyvips.Image:
    size = (cut.height, cut.width) if orientation in TURNED else (cut.width, cut.height)
    part = resized(part, size).copy_memory()
    return part.autorot() if orientation > 1 else part


def _sample_bytes(image: pyvips.Image) -> int:
    return {"uchar": 1, "char": 1, "ushort": 2, "short": 2}.get(image.format, 4)


def _finished(image: pyvips.Image, cut: Cut) -> tuple[Size, bytes]:
    image = to_display(image)
    if cut.mirrored:
        image = image.fliphor()
    if cut.degrees:
        image = image.rot(f"d{cut.degrees}")
    if cut.quality is not Quality.DEFAULT:
        image = to_srgb(image)
        image = image.colourspace("b-w")
    if cut.quality is Quality.BITONAL:
        image = (flattened(image) >= _MIDDLE_GREY).copy(interpretation="b-w")
    return (image.width, image.height), encode(image, cut.format)
