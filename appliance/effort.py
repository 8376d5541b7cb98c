"""How long decoding takes, estimated from what is known of a picture: long work must not stand before short work.

Nanoseconds of one core a pixel of the original, all four sizes from one decode, measured with libvips 8.18 on pictures
of 48 to 400 million pixels (`benchmarks/results/giants.txt`); JPEG of this size is decoded at a quarter of it.
"""

from appliance.regions import Cut
from appliance.renditions import Facts, Format

LONG_S = 0.75
"""From here on a picture is long work: 350 million pixels of JPEG, 47 of PNG, 18 of HEIC."""

_NS_A_PIXEL = {
    "image/jpeg": 2.1,
    "image/png": 16,
    "image/tiff": 9,
    "image/webp": 20,
    "image/avif": 35,
    "image/heic": 41,
    "image/gif": 30,
}
_PROGRESSIVE_JPEG_NS = 8.5
_ANIMATED_NS = 90
"""A frame's pixel decoded, resized, and written in several sizes."""
_NS_A_WRITTEN_PIXEL = {Format.JPG: 56, Format.WEBP: 172, Format.AVIF: 260, Format.PNG: 364, Format.GIF: 1000}
"""Of a photo of 25 million pixels, on one core."""
LONG_CUT_S = 0.3
"""From here on a cut is long work: 5 million pixels of JPEG, 800,000 of PNG, a bit more than a tile of GIF."""


def decode_s(facts: Facts) -> float:
    """Seconds of one core that making all sizes takes, about."""
    pixels = facts.width * facts.height
    if facts.animated:
        return pixels * facts.frames * _ANIMATED_NS / 1e9
    if facts.progressive and facts.media_type == "image/jpeg":
        return pixels * _PROGRESSIVE_JPEG_NS / 1e9
    return pixels * _NS_A_PIXEL.get(facts.media_type, max(_NS_A_PIXEL.values())) / 1e9


def is_long(facts: Facts) -> bool:
    return decode_s(facts) >= LONG_S


def write_s(cut: Cut) -> float:
    """Seconds of one core that writing a cut takes, about."""
    return cut.width * cut.height * _NS_A_WRITTEN_PIXEL[cut.format] / 1e9


def is_long_cut(cut: Cut) -> bool:
    return write_s(cut) >= LONG_CUT_S
