"""Which renditions are made from planes, and from what."""

import os
from collections.abc import Mapping

import pyvips

from appliance.domain import formats
from appliance.domain.formats import FormatSpec
from appliance.domain.renditions import PLACEHOLDER, Format, Shape, Target
from appliance.imaging import profiles
from appliance.imaging.chain import in_order, jpeg_shrink, source_of
from appliance.imaging.colour import to_srgb
from appliance.imaging.encoders import WEBP_EFFORT, WEBP_QUALITY, encode, is_small, jpeg_quality
from appliance.imaging.fast_jpeg.extension import MAX_SIZES, Extension, WantedSize, loaded
from appliance.imaging.fast_jpeg.webp_profile import with_profile
from appliance.imaging.gain_maps import MIN_SIDE_PX, may_have_gain_map
from appliance.imaging.headers import TURNED, orientation_of
from appliance.imaging.resizing import Size
from appliance.imaging.sources import open_image

_PROFILE = "icc-profile-data"
_MAX_FILE_BYTES = 256 * 1024 * 1024
"""The file is read into memory, which has to leave room for the rest."""
_Wanted = tuple[Shape, Format]


def made_from_planes(fd: int, kind: FormatSpec, stills: Mapping[Target, Shape]) -> dict[Target, bytes] | None:
    """The file of each target; None where libvips has to make them, as where memory is short.

    Raises what `BROKEN` lists.
    """
    extension = loaded()
    wanted = _in_order(stills)
    if isinstance(extension, str) or not 0 < len(wanted) <= MAX_SIZES or not _is_suited(extension, fd, kind, stills):
        return None
    image = open_image(fd, kind)
    profile = _compact_profile(image)
    if profile is None:
        return None
    try:
        made = _make(extension, fd, image, wanted, profile)
    except MemoryError:
        return None
    if made is None:
        return None
    return {target: _finished(target, one.size, made[one, target.format], profile) for target, one in stills.items()}


def _in_order(stills: Mapping[Target, Shape]) -> list[_Wanted]:
    """What differs, in the order in which it is made: the formats of a shape follow each other."""
    found = {(one, target.format): None for target, one in stills.items()}
    return [wanted for shape in in_order(set(stills.values())) for wanted in found if wanted[0] == shape]


def _is_suited(extension: Extension, fd: int, kind: FormatSpec, stills: Mapping[Target, Shape]) -> bool:
    made = {Format.JPG} if extension.lacking_webp else {Format.JPG, Format.WEBP}
    shows_gain_map = any(target.format is Format.JPG and max(one.size) >= MIN_SIDE_PX for target, one in stills.items())
    return (
        kind is formats.JPEG
        and all(target.format in made and one.shows_all for target, one in stills.items())
        and os.fstat(fd).st_size <= _MAX_FILE_BYTES
        and not (shows_gain_map and may_have_gain_map(fd))
    )


def _compact_profile(image: pyvips.Image) -> bytes | None:
    """That of an image's renditions, empty for sRGB and grey; None if its codes have to change."""
    if image.interpretation not in ("srgb", "b-w"):
        return None
    if not image.get_typeof(_PROFILE):
        return b""
    found = profiles.describe(image.get(_PROFILE))
    if not found.is_exact:
        return None
    return profiles.compact(found.space) if image.interpretation == "srgb" else b""


def _make(
    extension: Extension, fd: int, image: pyvips.Image, wanted: list[_Wanted], profile: bytes
) -> dict[_Wanted, bytes] | None:
    orientation = orientation_of(image)
    width, height = (image.height, image.width) if orientation in TURNED else (image.width, image.height)
    largest = wanted[0][0].size
    files = extension.render(
        os.pread(fd, os.fstat(fd).st_size, 0),
        [_wanted_size(one, wanted[:place], profile) for place, one in enumerate(wanted)],
        shrink=jpeg_shrink(min(width / largest[0], height / largest[1])),
        orientation=orientation,
    )
    return None if files is None else dict(zip(wanted, files, strict=True))


def _finished(target: Target, size: Size, file: bytes, profile: bytes) -> bytes:
    """The file with its profile, but for a placeholder, which is in sRGB: it is so small that it is written twice."""
    if not profile or target.format is not Format.WEBP:
        return file
    file = with_profile(file, size, profile)
    if target != PLACEHOLDER:
        return file
    return encode(to_srgb(pyvips.Image.webpload_source(pyvips.Source.new_from_memory(file))), Format.WEBP)


def _wanted_size(wanted: _Wanted, earlier: list[_Wanted], profile: bytes) -> WantedSize:
    one, format = wanted
    shapes = [shape for shape, _ in earlier]
    source = one if one in shapes else source_of(one, shapes)
    place = None if source is None else shapes.index(source)
    if format is Format.WEBP:
        return WantedSize(one.size, place, WEBP_QUALITY, WEBP_EFFORT, format)
    quality, effort = jpeg_quality(one.size), int(is_small(one.size))
    return WantedSize(one.size, place, quality, effort, format, profile)
