"""High dynamic range (PQ and HLG, ITU-R BT.2100) on a screen of ordinary range.

White is 203 cd/m² (BT.2408). Light up to half of it comes out as it is; what is brighter is rolled off along a Möbius
curve that brings 1,000 cd/m² to the screen's white. The brightest of the three colours decides, and the others follow
in proportion, so that hues stay. The result is Display P3.
"""

import functools
import math
from array import array

import pyvips

from appliance.imaging import profiles
from appliance.imaging.code_points import HLG, primaries_of
from appliance.imaging.matrices import D65, P3_XY, inverted, matrix_of, multiply
from appliance.imaging.profiles import Space

_TRANSFER, _PRIMARIES = "hdr-transfer", "hdr-primaries"
_WHITE_NITS, _PEAK_NITS = 203.0, 1000.0
_PEAK, _KNEE = _PEAK_NITS / _WHITE_NITS, 0.5
_HLG_GAMMA = 1.2
"""Of the whole system at 1,000 cd/m²; applied to each colour and not to the luminance, so that a table can do it."""
_CODES = 65_536


def mark(image: pyvips.Image, primaries: int, transfer: int) -> pyvips.Image:
    """The image with a note of what its codes mean, which resampling keeps."""
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, _TRANSFER, transfer)
    image.set_type(pyvips.GValue.gint_type, _PRIMARIES, primaries)
    return image


def is_marked(image: pyvips.Image) -> bool:
    """Whether the image's codes are of high dynamic range."""
    return bool(image.get_typeof(_TRANSFER))


def to_p3(image: pyvips.Image) -> pyvips.Image:
    """A marked image as 8-bit Display P3 with its profile, alpha kept."""
    wide = image if image.format == "ushort" else (image.cast("ushort") * 257).cast("ushort")
    light = (
        _colours(wide).maplut(_light_of_codes(int(image.get(_TRANSFER)))).recomb(_matrix(int(image.get(_PRIMARIES))))
    )
    light = (light > 0).ifthenelse(light, 0)
    codes = (light * _gain(light)).copy(interpretation="scrgb").colourspace("srgb")  # the curve of P3 is sRGB's
    if wide.hasalpha():
        codes = codes.bandjoin((wide.extract_band(wide.bands - 1) >> 8).cast("uchar"))
    codes = codes.copy(interpretation="srgb")
    codes.remove(_TRANSFER)
    codes.remove(_PRIMARIES)
    codes.set_type(pyvips.GValue.blob_type, "icc-profile-data", profiles.compact(Space.P3))
    return codes


def _colours(image: pyvips.Image) -> pyvips.Image:
    """Its three bands of colour; grey three times over."""
    return image.extract_band(0, n=3) if image.bands >= 3 else pyvips.Image.bandjoin([image.extract_band(0)] * 3)


def _matrix(primaries: int) -> pyvips.Image:
    wanted = multiply(inverted(matrix_of(P3_XY, D65)), matrix_of(primaries_of(primaries), D65))
    return pyvips.Image.new_from_array([list(row) for row in wanted])


def _gain(light: pyvips.Image) -> pyvips.Image:
    """What each pixel's light is multiplied by: one up to the knee, then less and less (J. Möbius)."""
    brightest = light.extract_band(0).maxpair(light.extract_band(1)).maxpair(light.extract_band(2))
    square = _KNEE * _KNEE
    upper = -square * (_PEAK - 1) / (square - 2 * _KNEE + _PEAK)
    lower = (square - 2 * _KNEE * _PEAK + _PEAK) / (_PEAK - 1)
    scale = (lower + _KNEE) ** 2 / (lower - upper)
    rolled_off = (brightest + upper) * scale / ((brightest + lower) * brightest)
    return (brightest <= _KNEE).ifthenelse(1.0, rolled_off)


@functools.cache
def _light_of_codes(transfer: int) -> pyvips.Image:
    """A table from codes of 16 bits to light, in which a screen's white is 1."""
    decode = _hlg_nits if transfer == HLG else _pq_nits
    light = array("f", (decode(code / (_CODES - 1)) / _WHITE_NITS for code in range(_CODES)))
    return pyvips.Image.new_from_memory(light.tobytes(), _CODES, 1, 1, "float")


def _pq_nits(code: float) -> float:
    """SMPTE ST 2084."""
    power = code ** (32 / 2523)
    return 10_000 * float((max(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)) ** (16_384 / 2610))


def _hlg_nits(code: float) -> float:
    """BT.2100's inverse curve, on a screen of 1,000 cd/m²."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = code * code / 3 if code <= 0.5 else (math.exp((code - c) / a) + b) / 12
    return _PEAK_NITS * float(scene**_HLG_GAMMA)
