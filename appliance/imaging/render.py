"""Making renditions: one decode, every wanted size from it, each smaller one from a larger one in memory."""

import pyvips

from appliance.errors import CannotResize
from appliance.imaging import animation
from appliance.imaging.colour import to_srgb
from appliance.imaging.encoders import encode_each
from appliance.imaging.formats import Kind
from appliance.imaging.inspection import TURNED, orientation_of
from appliance.imaging.resizing import Size, resized
from appliance.imaging.sources import BROKEN, condemns, kind_of, open_picture
from appliance.renditions import Facts, Made, Target, fit

RESERVE = 1.33
"""How much larger than the target a decoder's own shrinking must leave the picture; the resampling does the rest."""
CHAIN_RESERVE = 2.0
"""The same for making a size from a smaller sibling."""
_JPEG_SHRINKS = (4, 2)  # 8 is faster still, but visibly soft: SSIMULACRA2 59 against 71

_DAMAGED = (
    "No other size of this image can be made: its pixels can't be decoded, "
    "because the file is damaged, incomplete, or would take too much memory."
)


def render(fd: int, facts: Facts, targets: tuple[Target, ...]) -> list[Made]:
    """Every target, in their order. `facts` are the original's, whatever smaller version of it `fd` holds.

    Raises CannotResize, EmptyUpload, UnsupportedFormat or NotAnImage.
    """
    sizes = {target: fit(facts.width, facts.height, target.preset.box_px) for target in targets}
    kind = kind_of(fd)
    try:
        files = _animated(fd, kind, facts, sizes)
        files |= _stills(fd, kind, {target: size for target, size in sizes.items() if target not in files})
    except BROKEN as error:
        refusal = CannotResize(_DAMAGED)
        refusal.final = condemns(error)
        raise refusal from error
    return [Made(target, *sizes[target], files[target]) for target in targets]


def _animated(fd: int, kind: Kind, facts: Facts, sizes: dict[Target, Size]) -> dict[Target, bytes]:
    """The targets that keep the animation; none when it can't be read to its end, for its first frame may still be."""
    if not facts.animated or kind not in (Kind.GIF, Kind.WEBP):
        return {}
    wanted = {
        target: size
        for target, size in sizes.items()
        if target.format.has_animation and animation.affordable(facts, size)
    }
    try:
        return animation.animate(fd, kind, wanted) if wanted else {}
    except BROKEN:
        return {}


def _stills(fd: int, kind: Kind, sizes: dict[Target, Size]) -> dict[Target, bytes]:
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


def _decoded(fd: int, kind: Kind, size: Size) -> pyvips.Image:
    """The picture upright, in sRGB, in memory, at `size`: turned and converted only once it is small."""
    image = open_picture(fd, kind)
    orientation = orientation_of(image)
    stored = (size[1], size[0]) if orientation in TURNED else size
    reduction = min(image.width / stored[0], image.height / stored[1])
    if kind is Kind.JPEG and (shrink := _jpeg_shrink(reduction)) > 1:
        image = open_picture(fd, kind, shrink=shrink)
    elif kind is Kind.WEBP and reduction >= 2 * RESERVE:
        image = open_picture(fd, kind, scale=RESERVE / reduction)
    image = to_srgb(resized(image, stored).copy_memory())
    return image.autorot().copy_memory() if orientation > 1 else image.copy_memory()


def _jpeg_shrink(reduction: float) -> int:
    return next((shrink for shrink in _JPEG_SHRINKS if reduction >= shrink * RESERVE), 1)
