"""Regions of images: a rectangle cut out, resized, turned and recoloured, as the IIIF Image API has it."""

from dataclasses import dataclass
from enum import StrEnum

from appliance.domain.formats import original_of
from appliance.domain.renditions import Facts, Format

TILE_PX = 512
"""The side of the tiles that info.json announces, and of those in a pyramid."""
HELD_BYTES = 256 * 1024 * 1024
"""Regions that lie in a part of up to so many bytes are cut from one decode; of a larger part, each from its own."""
PYRAMID_DRAFT_SHARE = 3
"""A pyramid's smaller levels wait in memory while the largest is written; one byte for so many pixels is plenty, and
one for each where the tiles are not JPEG.
"""


class Quality(StrEnum):
    """How a cut is coloured. IIIF's `color` is what every image has by default."""

    DEFAULT = "default"
    GRAY = "gray"
    BITONAL = "bitonal"


class Material(StrEnum):
    """What a cut is made from."""

    ORIGINAL = "original"
    RENDITION = "rendition"
    PYRAMID = "pyramid"


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in pixels of the image as displayed. It lies inside of the image and is never empty."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Cut:
    """One region as somebody wants it: at `width` x `height`, then mirrored, then turned by 0, 90, 180 or 270 degrees.

    Nothing is enlarged: `width` and `height` are at most the region's.
    """

    region: Region
    width: int
    height: int
    mirrored: bool
    degrees: int
    quality: Quality
    format: Format

    @property
    def name(self) -> str:
        """What it is called in the cache."""
        region, mirror = self.region, "!" * self.mirrored
        where = f"{region.x},{region.y},{region.width},{region.height}"
        return f"{where}-{self.width},{self.height}-{mirror}{self.degrees}-{self.quality}.{self.format}"

    @property
    def reduction(self) -> float:
        """How many pixels of the region, along one side, make one of the result."""
        return min(self.region.width / self.width, self.region.height / self.height)


def max_region_area(format_: Format, max_area: int) -> int:
    """The maximum pixels of a region in a format, where a JPEG may have `max_area`. A tile is always allowed."""
    return max(TILE_PX * TILE_PX, max_area // format_.spec.area_divisor)


def scale_factors(width: int, height: int) -> tuple[int, ...]:
    """The reductions at which an image is tiled: powers of two, until all of it fits into one tile."""
    factors = [1]
    while max(width, height) > factors[-1] * TILE_PX:
        factors.append(factors[-1] * 2)
    return tuple(factors)


def level_sizes(width: int, height: int, max_area: int) -> list[tuple[int, int]]:
    """The size of the whole image at each reduction, the smallest first, of `max_area` pixels at most.

    Viewers take an image's sizes for the levels of its pyramid where their number fits, and cut off what a size that
    was rounded down lacks. So they are rounded up, as the tiles at the right and lower edges are.
    """
    sizes = [(-(-width // factor), -(-height // factor)) for factor in reversed(scale_factors(width, height))]
    return [size for size in sizes if size[0] * size[1] <= max_area]


def whole_decode_bytes(facts: Facts) -> int:
    """The estimated memory of decoding an image at its full size, where presets may do with less of it."""
    return facts.memory_bytes + original_of(facts.media_type).full_size_bytes * facts.width * facts.height


def cutting_bytes(facts: Facts) -> int:
    """The estimated memory of making cuts from the original: the decode, and the part that all of them lie in."""
    return whole_decode_bytes(facts) + min(HELD_BYTES, 4 * facts.width * facts.height)


def pyramid_bytes(facts: Facts) -> int:
    """The estimated memory of building an image's pyramid."""
    return whole_decode_bytes(facts) + facts.width * facts.height // (1 if facts.has_alpha else PYRAMID_DRAFT_SHARE)


def bounds(regions: tuple[Region, ...]) -> Region:
    """The smallest region that holds all of them."""
    x, y = min(region.x for region in regions), min(region.y for region in regions)
    right = max(region.x + region.width for region in regions)
    bottom = max(region.y + region.height for region in regions)
    return Region(x, y, right - x, bottom - y)
