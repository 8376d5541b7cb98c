"""Which renditions are made from planes, and from what."""

import os
from collections.abc import Mapping

import pyvips

from appliance.domain import formats
from appliance.domain.formats import FormatSpec
from appliance.domain.renditions import Format, Shape, Target
from appliance.imaging import profiles
from appliance.imaging.chain import in_order, jpeg_shrink, source_of
from appliance.imaging.encoders import JPEG_QUALITY, OPTIMISED_PIXELS
from appliance.imaging.gain_maps import may_have_gain_map
from appliance.imaging.headers import TURNED, orientation_of
from appliance.imaging.planes.extension import MAX_SIZES, Extension, PlaneSize, loaded
from appliance.imaging.sources import open_image

_PROFILE = "icc-profile-data"
_MAX_FILE_BYTES = 256 * 1024 * 1024
"""The file is read into memory, which has to leave room for the rest."""


def jpegs_from_planes(fd: int, kind: FormatSpec, stills: Mapping[Target, Shape]) -> dict[Target, bytes] | None:
    """The file of each target; None where libvips has to make them. Raises what `BROKEN` lists."""
    extension = loaded()
    shapes = in_order(set(stills.values()))
    if isinstance(extension, str) or not shapes or len(shapes) > MAX_SIZES or not _is_suited(fd, kind, stills):
        return None
    image = open_image(fd, kind)
    profile = _compact_profile(image)
    if profile is None:
        return None
    made = _make(extension, fd, image, shapes, profile)
    return None if made is None else {target: made[one] for target, one in stills.items()}


def _is_suited(fd: int, kind: FormatSpec, stills: Mapping[Target, Shape]) -> bool:
    return (
        kind is formats.JPEG
        and all(target.format is Format.JPG and one.shows_all for target, one in stills.items())
        and os.fstat(fd).st_size <= _MAX_FILE_BYTES
        and not may_have_gain_map(fd)
    )


def _compact_profile(image: pyvips.Image) -> bytes | None:
    """That of the renditions of an image that keeps its codes, empty for sRGB; None if the codes have to change."""
    if image.interpretation not in ("srgb", "b-w"):
        return None
    if not image.get_typeof(_PROFILE):
        return b""
    found = profiles.describe(image.get(_PROFILE))
    return profiles.compact(found.space) if found.is_exact else None


def _make(
    extension: Extension, fd: int, image: pyvips.Image, shapes: list[Shape], profile: bytes
) -> dict[Shape, bytes] | None:
    orientation = orientation_of(image)
    width, height = (image.height, image.width) if orientation in TURNED else (image.width, image.height)
    largest = shapes[0].size
    sizes = [_plane_size(one, shapes[:place], profile) for place, one in enumerate(shapes)]
    files = extension.render(
        os.pread(fd, os.fstat(fd).st_size, 0),
        sizes,
        shrink=jpeg_shrink(min(width / largest[0], height / largest[1])),
        orientation=orientation,
    )
    return None if files is None else dict(zip(shapes, files, strict=True))


def _plane_size(one: Shape, larger: list[Shape], profile: bytes) -> PlaneSize:
    source = source_of(one, larger)
    return PlaneSize(
        one.size,
        None if source is None else larger.index(source),
        JPEG_QUALITY,
        is_optimised=one.size[0] * one.size[1] <= OPTIMISED_PIXELS,
        profile=profile,
    )
