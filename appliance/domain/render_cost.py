"""Render cost: estimates of how long decoding and encoding take, so that long work doesn't delay short work."""

from appliance.domain.formats import original_of
from appliance.domain.regions import Cut
from appliance.domain.renditions import Facts

LONG_S = 0.75
"""From here on an image is long work: 350 million pixels of JPEG, 47 of PNG (24 interlaced), 18 of HEIC."""

_ANIMATED_NS = 90
"""Nanoseconds to decode a pixel of a frame, resize it, and write it in several sizes."""
LONG_CUT_S = 0.3
"""From here on a cut is long work: 5 million pixels of JPEG, 800,000 of PNG, a bit more than a tile of GIF."""


def decode_s(facts: Facts) -> float:
    """Roughly the seconds of one core that rendering all sizes takes."""
    pixels = facts.width * facts.height
    if facts.animated:
        return pixels * facts.frames * _ANIMATED_NS / 1e9
    original = original_of(facts.media_type)
    progressive_ns = original.progressive_ns if facts.progressive else None
    return pixels * (progressive_ns or original.decode_ns) / 1e9


def is_long(facts: Facts) -> bool:
    """Whether rendering the image is long work."""
    return decode_s(facts) >= LONG_S


def encode_s(cut: Cut) -> float:
    """Roughly the seconds of one core that encoding a cut takes."""
    return cut.width * cut.height * cut.format.spec.write_ns / 1e9


def is_long_cut(cut: Cut) -> bool:
    """Whether encoding the cut is long work."""
    return encode_s(cut) >= LONG_CUT_S
