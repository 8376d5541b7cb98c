"""Samples that are no colours yet: TIFFs of measurements, with floating point, signed or 32-bit numbers.

They are shown by one rule (docs/formats.md): floating point from 0 to 1 as it is; RGB of floating point as linear
light, of which more than 1 is white; all other numbers stretched, the smallest to black and the largest to white, but
for the outermost of a thousand. What is no number, or infinite, is black.
"""

import itertools
import struct
from collections.abc import Callable
from dataclasses import dataclass

import pyvips

_LARGEST = 3.4e38
_WHITE = 255.0
_COMPLEX = frozenset(("complex", "dpcomplex"))
_FLOATING = frozenset(("float", "double"))
_OUTERMOST = 0.001
"""The share of the numbers that may be blacker than black and whiter than white, so that a single one that is far out
doesn't darken all others."""
_NEGATIVE, _NOT_FINITE = 0x8000, 0x7F80
_KEYS = (*range(0xFF7F, _NEGATIVE - 1, -1), *range(_NOT_FINITE))
"""The first half of every finite number of 32 bits (IEEE 754), from the least to the largest."""


@dataclass(frozen=True, slots=True)
class _Range:
    """Between which numbers nearly all finite ones of an image lie, and the share of those above 1."""

    least: float
    largest: float
    share_above_one: float


def needs_mapping(image: pyvips.Image) -> bool:
    """Whether the image's numbers have to be brought to colours first."""
    return image.format not in ("uchar", "ushort") and image.interpretation not in ("lab", "labs", "labq", "xyz")


def mapped(image: pyvips.Image, again: Callable[[], pyvips.Image], *, is_white_first: bool) -> pyvips.Image:
    """The image in colours. `again` opens it once more: its numbers are gone through twice before.

    `is_white_first` is of grey whose least number is white and whose largest is black.
    """
    found = _range(again)
    numbers = _numbers(image)
    is_floating = numbers.format in _FLOATING
    if is_floating and numbers.bands == 3 and found.share_above_one <= 0.5:
        return _is_finite(numbers).ifthenelse(numbers, 0).clamp().copy(interpretation="scrgb")
    least, largest = found.least, found.largest
    if is_floating and least >= 0 and largest <= 1:
        least, largest = 0.0, 1.0
    scale = _WHITE / (largest - least) if largest > least else 0.0
    stretched = (largest - numbers if is_white_first else numbers - least) * scale
    colours = _is_finite(numbers).ifthenelse(stretched, 0)
    return colours.rint().cast("uchar").copy(interpretation="srgb" if numbers.bands == 3 else "b-w")


def _numbers(image: pyvips.Image) -> pyvips.Image:
    """One band or three."""
    bands = image.extract_band(0, n=3) if image.bands >= 3 else image.extract_band(0)
    return bands.real() if bands.format in _COMPLEX else bands


def _is_finite(numbers: pyvips.Image) -> pyvips.Image:
    return numbers.abs() <= _LARGEST


def _range(again: Callable[[], pyvips.Image]) -> _Range:
    counts = _counts(_numbers(again()))
    total = sum(counts.values())
    if not total:
        return _Range(0.0, 0.0, 0.0)
    rising = list(counts.items())
    above_one = sum(count for key, count in rising if min(_edges(key)) >= 1)
    lowest, highest = min(_edges(_inner(rising, total))), max(_edges(_inner(rising[::-1], total)))
    return _Range(*_extremes(_numbers(again()), lowest, highest), above_one / total)


def _counts(numbers: pyvips.Image) -> dict[int, int]:
    """How many finite numbers there are of each key, in the order of `_KEYS`."""
    keys = (numbers.cast("float").copy(format="uint") >> 16).cast("ushort")
    [found] = pyvips.Image.sum(keys.hist_find().bandsplit()).tolist()
    return {key: int(found[key]) for key in _KEYS if key < len(found) and found[key]}


def _inner(counts: list[tuple[int, int]], total: int) -> int:
    """The first key behind the outermost numbers."""
    passed = itertools.accumulate(count for _, count in counts)
    return next(key for (key, _), count in zip(counts, passed, strict=True) if count > total * _OUTERMOST)


def _edges(key: int) -> tuple[float, float]:
    """The two numbers between which all others with this key lie."""
    one, other = struct.unpack("<2f", struct.pack("<2I", key << 16, key << 16 | 0xFFFF))
    return one, other


def _extremes(numbers: pyvips.Image, lowest: float, highest: float) -> tuple[float, float]:
    """The least and the largest number within these two."""
    numbers = numbers.cast("float")
    within = (numbers >= lowest) & (numbers <= highest)
    joined = within.ifthenelse(numbers, _LARGEST).bandjoin(within.ifthenelse(numbers, -_LARGEST))
    _, *rows = joined.stats().tolist()
    bands = numbers.bands
    return min(row[0] for row in rows[:bands]), max(row[1] for row in rows[bands:])
