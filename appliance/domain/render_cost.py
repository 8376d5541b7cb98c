"""Render cost: estimates of how long decoding and encoding take, so that long work doesn't delay short work."""

from appliance.domain.formats import original_of
from appliance.domain.regions import Cut
from appliance.domain.renditions import Facts, tall_area

LONG_S = 0.75
"""From here on an image is long work: 350 million pixels of JPEG, 47 of PNG (24 interlaced), 18 of HEIC."""
SHORT_S = 0.1
"""Up to here an image is short work, for which another order may wait: 47 million pixels of JPEG, 6 of PNG."""

_WRITTEN_NS = 150
"""A pixel of a tall image's sizes, which are large themselves."""
_ANIMATED_NS = 90
"""Nanoseconds to decode a pixel of a frame, resize it, and write it in several sizes."""
LONG_CUT_S = 0.3
"""From here on a cut is long work: 5 million pixels of JPEG, 800,000 of PNG, a bit more than a tile of GIF."""


def decode_s(facts: Facts) -> float:
    """Roughly the seconds of one core that rendering all sizes takes."""
    pixels, written = facts.width * facts.height, tall_area(facts.width, facts.height) * _WRITTEN_NS / 1e9
    if facts.animated:
        return pixels * facts.frames * _ANIMATED_NS / 1e9 + written
    original = original_of(facts.media_type)
    progressive_ns = original.progressive_ns if facts.progressive else None
    return pixels * (progressive_ns or original.decode_ns) / 1e9 + written


def is_long(facts: Facts) -> bool:
    """Whether rendering the image is long work."""
    return decode_s(facts) >= LONG_S


def is_short(facts: Facts) -> bool:
    """Whether rendering the image is short work."""
    return decode_s(facts) <= SHORT_S


def encode_s(cut: Cut) -> float:
    """Roughly the seconds of one core that encoding a cut takes."""
    return cut.width * cut.height * cut.format.spec.write_ns / 1e9


def is_long_cut(cut: Cut) -> bool:
    """Whether encoding the cut is long work."""
    return encode_s(cut) >= LONG_CUT_S
