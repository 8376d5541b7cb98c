"""Samples that are no colours yet: TIFFs of measurements, with floating point, signed or 32-bit numbers.

They are shown by one rule (docs/formats.md): floating point from 0 to 1 as it is, RGB of that kind as linear light; all
other numbers stretched, the smallest to black and the largest to white. What is no number, or infinite, is black.
"""

import pyvips

_LARGEST = 3.4e38
_WHITE = 255.0
_COMPLEX = frozenset(("complex", "dpcomplex"))
_FLOATING = frozenset(("float", "double"))


def needs_mapping(image: pyvips.Image) -> bool:
    """Whether the image's numbers have to be brought to colours first."""
    return image.format not in ("uchar", "ushort") and image.interpretation not in ("lab", "labs", "labq", "xyz")


def mapped(image: pyvips.Image, whole: pyvips.Image) -> pyvips.Image:
    """The image in colours. `whole` is the full image, opened once more: its numbers are gone through first."""
    statistics = _finite(whole).stats()
    least, largest = statistics(0, 0)[0], statistics(1, 0)[0]
    numbers = _finite(image)
    if image.format in _FLOATING and least >= 0 and largest <= 1:
        if numbers.bands == 3:
            return numbers.copy(interpretation="scrgb")
        least, largest = 0.0, 1.0
    scale = _WHITE / (largest - least) if largest > least else 0.0
    colours = (numbers - least) * scale
    return colours.rint().cast("uchar").copy(interpretation="srgb" if numbers.bands == 3 else "b-w")


def _finite(image: pyvips.Image) -> pyvips.Image:
    """One band or three, with zero in the place of what is no number."""
    bands = image.extract_band(0, n=3) if image.bands >= 3 else image.extract_band(0)
    real = bands.real() if bands.format in _COMPLEX else bands
    return (real.abs() <= _LARGEST).ifthenelse(real, 0)
