"""Making renditions: one decode, every wanted size from it, each smaller one from a larger one in memory."""

import pyvips

from appliance.domain import formats, refusals
from appliance.domain.errors import CannotResize
from appliance.domain.formats import FormatSpec
from appliance.domain.renditions import Facts, Format, RenderedFile, Shape, Target, shape
from appliance.imaging import animation, tiff
from appliance.imaging.chain import RESERVE, in_order, jpeg_shrink, source_of
from appliance.imaging.colour import to_display
from appliance.imaging.encoders import encode_each
from appliance.imaging.fast_jpeg.rendering import made_from_planes
from appliance.imaging.gain_maps import GainMap, read_gain_map
from appliance.imaging.headers import TURNED, orientation_of
from appliance.imaging.resizing import Size, resized, resized_part
from appliance.imaging.sniffing import kind_of
from appliance.imaging.sources import BROKEN, is_permanent, open_image


def render(
    fd: int,
    facts: Facts,
    targets: tuple[Target, ...],
    moving: frozenset[Target],
    *,
    patient: bool = False,
    fast_jpeg: bool = True,
) -> list[RenderedFile]:
    """Every target, in their order. `facts` are the original's, whatever smaller version of it `fd` holds.

    The `moving` ones keep the animation, unless it can't be read to its end: then they show the first frame too. A
    `patient` caller prefers smaller files to soon ones. Without `fast_jpeg`, libvips makes everything; so it does of an
    original whose end is missing, which the extension always leaves to it.

    Raises CannotResize, EmptyUpload, UnsupportedFormat or NotAnImage.
    """
    shapes = {target: shape(facts.width, facts.height, target.preset) for target in targets}
    kind = kind_of(fd)
    try:
        animated = _animated(fd, kind, {target: shapes[target] for target in moving})
        stills = {target: shapes[target] for target in targets if target not in animated}
        made = made_from_planes(fd, kind, stills) if fast_jpeg and not facts.incomplete else None
        gain_map = None
        if made is None:
            images = _stills(fd, kind, set(stills.values()))
            gain_map = _gain_map(fd, kind, shapes)  # once the whole image is out of memory
            made = encode_each(images, {target: one.size for target, one in stills.items()}, gain_map, patient=patient)
        files = animated | made
    except BROKEN as error:
        refusal = CannotResize(refusals.DAMAGED)
        refusal.final = is_permanent(error)
        raise refusal from error
    return [
        RenderedFile(
            target,
            *shapes[target].size,
            files[target],
            is_animated=target in animated,
            has_gain_map=gain_map is not None and target.format is Format.JPG,
        )
        for target in targets
    ]


def _gain_map(fd: int, kind: FormatSpec, shapes: dict[Target, Shape]) -> GainMap | None:
    """The file's gain map, where a target can show one."""
    sides = [max(one.size) for target, one in shapes.items() if target.format is Format.JPG]
    return read_gain_map(fd, max(sides)) if sides and kind is formats.JPEG else None


def _animated(fd: int, kind: FormatSpec, shapes: dict[Target, Shape]) -> dict[Target, bytes]:
    """The targets that keep the animation; none when it can't be read to its end, for its first frame may still be."""
    if not shapes or not formats.ACCEPTED[kind].is_animated:
        return {}
    try:
        return animation.animate(fd, kind, shapes)
    except BROKEN:
        return {}


def _stills(fd: int, kind: FormatSpec, shapes: set[Shape]) -> dict[Size, pyvips.Image]:
    """The image at each shape, in memory."""
    made: dict[Shape, pyvips.Image] = {}
    for one in in_order(shapes):
        source = source_of(one, made)
        made[one] = _decoded(fd, kind, one) if source is None else _made_from(made[source], source, one)
    return {one.size: image for one, image in made.items()}


def _made_from(image: pyvips.Image, source: Shape, one: Shape) -> pyvips.Image:
    """The shape from an image of another one, of which only the top may be wanted."""
    if not (source.shows_all and one.shows_all):
        lines = round(one.height * source.whole[1] / one.whole[1])
        image = image.crop(0, 0, image.width, max(1, min(image.height, lines)))
    return resized(image, one.size).copy_memory()


def _decoded(fd: int, kind: FormatSpec, one: Shape) -> pyvips.Image:
    """The image upright, in the colours of renditions, in memory: turned and converted only once it is small."""
    image = open_image(fd, kind)
    orientation = orientation_of(image)
    stored = (one.whole[1], one.whole[0]) if orientation in TURNED else one.whole
    small = _sized(fd, kind, image, stored)
    if orientation == 1:
        return to_display(_top(small, one).copy_memory()).copy_memory()
    return _top(_upright(small.copy_memory(), orientation), one)


def _top(image: pyvips.Image, one: Shape) -> pyvips.Image:
    return image if one.shows_all else image.crop(0, 0, *one.size)


def _sized(fd: int, kind: FormatSpec, image: pyvips.Image, stored: Size) -> pyvips.Image:
    """The image at `stored`, by the way of its format that reads least; not in memory yet."""
    reduction = min(image.width / stored[0], image.height / stored[1])
    if kind is formats.JPEG and (shrink := jpeg_shrink(reduction)) > 1:
        covered = (image.width / shrink, image.height / shrink)
        return resized_part(open_image(fd, kind, shrink=shrink), covered, stored)
    if kind is formats.WEBP and reduction >= 2 * RESERVE:
        image = open_image(fd, kind, scale=RESERVE / reduction)
    elif kind is formats.TIFF and reduction >= RESERVE and (smaller := _smaller_copy(fd, image, stored)):
        return smaller
    return resized(image, stored)


def _upright(image: pyvips.Image, orientation: int) -> pyvips.Image:
    image = to_display(image).copy()  # a pyramid's levels don't tell it again
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return image.autorot().copy_memory()


def _smaller_copy(fd: int, whole: pyvips.Image, stored: Size) -> pyvips.Image | None:
    """A TIFF's image at `stored`, from the smallest level of its pyramid that is large enough; None without one."""
    large_enough = [level for level in tiff.pages(fd).levels if level.width >= stored[0] * RESERVE]
    if not large_enough:
        return None
    try:
        level = open_image(fd, formats.TIFF, level=min(large_enough, key=lambda level: level.width))
        if (level.bands, level.format) != (whole.bands, whole.format):
            return None
        small = resized(level, stored).copy_memory()
    except BROKEN:  # the file may have been cut where its levels are
        return None
    if whole.get_typeof("icc-profile-data") and not small.get_typeof("icc-profile-data"):
        small.set_type(pyvips.GValue.blob_type, "icc-profile-data", whole.get("icc-profile-data"))
    return small
