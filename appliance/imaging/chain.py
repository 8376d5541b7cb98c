"""How little can be decoded for a size: what a decoder may shrink itself, and which size is made from which."""

from collections.abc import Collection

from appliance.domain.renditions import Shape

RESERVE = 1.33
"""How much larger than the target a decoder's own shrinking must leave the image; the resampling does the rest."""
CHAIN_RESERVE = 2.0
"""The same for making a size from a smaller sibling."""
_JPEG_SHRINKS = (4, 2)  # 8 is faster still, but visibly soft: SSIMULACRA2 59 against 71


def jpeg_shrink(reduction: float) -> int:
    """By how much a JPEG's decoder shrinks the image, for a reduction to the wanted size."""
    return next((shrink for shrink in _JPEG_SHRINKS if reduction >= shrink * RESERVE), 1)


def in_order(shapes: Collection[Shape]) -> list[Shape]:
    """The shapes in the order in which they are made: the largest first."""
    return sorted(shapes, key=lambda one: (one.whole, one.height), reverse=True)


def source_of(one: Shape, made: Collection[Shape]) -> Shape | None:
    """What to make a shape from: the smallest made so far that is large enough, else the largest, if it shows as much.

    None where nothing shows as much, as of a tall image whose larger size ends earlier.
    """
    showing = [other for other in made if other.height * one.whole[1] >= one.height * other.whole[1]]
    large = [other for other in showing if other.whole[0] >= one.whole[0] * CHAIN_RESERVE]
    return min(large, key=_width, default=max(showing, key=_width, default=None))


def _width(one: Shape) -> int:
    return one.whole[0]
