"""Making renditions: one decode, every wanted size from it, each smaller one from a larger one in memory."""

import pyvips

from appliance.domain import formats
from appliance.domain.errors import CannotResize
from appliance.domain.formats import FormatSpec
from appliance.domain.renditions import Facts, RenderedFile, Target, fit
from appliance.imaging import animation, tiff
from appliance.imaging.colour import to_srgb
from appliance.imaging.encoders import encode_each
from appliance.imaging.inspection import TURNED, orientation_of
from appliance.imaging.resizing import Size, resized, resized_part
from appliance.imaging.sources import BROKEN, is_permanent, kind_of, open_picture

RESERVE = 1.33
"""How much larger than the target a decoder's own shrinking must leave the picture; the resampling does the rest."""
CHAIN_RESERVE = 2.0
"""The same for making a size from a smaller sibling."""
_JPEG_SHRINKS = (4, 2)  # 8 is faster still, but visibly soft: SSIMULACRA2 59 against 71

_DAMAGED = (
    "No other size of this image can be made: its pixels can't be decoded, "
    "because the file is damaged, incomplete, or would take too much memory."
)


def render(fd: int, facts: Facts, targets: tuple[Target, ...], moving: frozenset[Target]) -> list[RenderedFile]:
    """Every target, in their order. `facts` are the original's, whatever smaller version of it `fd` holds.

    The `moving` ones keep the animation, unless it can't be read to its end: then they show the first frame too.

    Raises CannotResize, EmptyUpload, UnsupportedFormat or NotAnImage.
    """
    sizes = {target: fit(facts.width, facts.height, target.preset.box_px) for target in targets}
    kind = kind_of(fd)
    try:
        animated = _animated(fd, kind, {target: sizes[target] for target in moving})
        files = animated | _stills(fd, kind, {target: sizes[target] for target in targets if target not in animated})
    except BROKEN as error:
        refusal = CannotResize(_DAMAGED)
        refusal.final = is_permanent(error)
        raise refusal from error
    return [RenderedFile(target, *sizes[target], files[target], target in animated) for target in targets]


def _animated(fd: int, kind: FormatSpec, sizes: dict[Target, Size]) -> dict[Target, bytes]:
    """The targets that keep the animation; none when it can't be read to its end, for its first frame may still be."""
    if not sizes or not formats.ACCEPTED[kind].is_animated:
        return {}
    try:
        return animation.animate(fd, kind, sizes)
    except BROKEN:
        return {}


def _stills(fd: int, kind: FormatSpec, sizes: dict[Target, Size]) -> dict[Target, bytes]:
    if not sizes:
        return {}
    largest = max(sizes.values())
    made = {largest: _decoded(fd, kind, largest)}
    for size in sorted(set(sizes.values()), reverse=True):
        if size not in made:
            made[size] = resized(made[_source(size, largest, made)], size).copy_memory()
    return encode_each(made, sizes)


def _source(size: Size, largest: Size, made: dict[Size, pyvips.Image]) -> Size:
    """The smallest size made so far that is large enough to make `size` from."""
    return min((other for other in made if other[0] >= size[0] * CHAIN_RESERVE), default=largest)


def _decoded(fd: int, kind: FormatSpec, size: Size) -> pyvips.Image:
    """The picture upright, in sRGB, in memory, at `size`: turned and converted only once it is small."""
    image = open_picture(fd, kind)
    orientation = orientation_of(image)
    stored = (size[1], size[0]) if orientation in TURNED else size
    reduction = min(image.width / stored[0], image.height / stored[1])
    if kind is formats.JPEG and (shrink := _jpeg_shrink(reduction)) > 1:
        covered = (image.width / shrink, image.height / shrink)
        smaller = resized_part(open_picture(fd, kind, shrink=shrink), covered, stored)
        return _upright(smaller.copy_memory(), orientation)
    if kind is formats.WEBP and reduction >= 2 * RESERVE:
        image = open_picture(fd, kind, scale=RESERVE / reduction)
    elif kind is formats.TIFF and reduction >= RESERVE and (smaller := _smaller_copy(fd, image, stored)):
        return _upright(smaller, orientation)
    return _upright(resized(image, stored).copy_memory(), orientation)


def _upright(image: pyvips.Image, orientation: int) -> pyvips.Image:
    image = to_srgb(image)
    if orientation == 1:
        return image.copy_memory()
    image = image.copy()  # a pyramid's levels don't tell it again
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return image.autorot().copy_memory()


def _smaller_copy(fd: int, whole: pyvips.Image, stored: Size) -> pyvips.Image | None:
    """A TIFF's picture at `stored`, from the smallest level of its pyramid that is large enough; None without one."""
    large_enough = [level for level in tiff.pages(fd).levels if level.width >= stored[0] * RESERVE]
    if not large_enough:
        return None
    try:
        level = open_picture(fd, formats.TIFF, level=min(large_enough, key=lambda level: level.width))
        if (level.bands, level.format) != (whole.bands, whole.format):
            return None
        small = resized(level, stored).copy_memory()
    except BROKEN:  # the file may have been cut where its levels are
        return None
    if whole.get_typeof("icc-profile-data") and not small.get_typeof("icc-profile-data"):
        small.set_type(pyvips.GValue.blob_type, "icc-profile-data", whole.get("icc-profile-data"))
    return small


def _jpeg_shrink(reduction: float) -> int:
    return next((shrink for shrink in _JPEG_SHRINKS if reduction >= shrink * RESERVE), 1)
