"""What a PNG says of its colours: cICP, iCCP, sRGB, gAMA and cHRM, in the order in which they count."""

import os
import struct
from dataclasses import dataclass

from appliance.imaging.code_points import is_known
from appliance.imaging.matrices import D65, SRGB_XY, Primaries, Xy

_START, _MAX_CHUNKS = 8, 1000
_UNIT = 100_000


@dataclass(frozen=True, slots=True)
class PngColour:
    """`primaries` and `transfer` are cICP's code points (ITU-T H.273), if known. `gamma` is what codes are raised to.

    All are None where the file has a profile, says that it is sRGB, or says nothing.
    """

    primaries: int | None = None
    transfer: int | None = None
    gamma: float | None = None
    chromaticities: Primaries = SRGB_XY
    white: Xy = D65


def read_png_colour(fd: int) -> PngColour:
    """The colour of the open file, by the chunk that counts most."""
    chunks = _chunks(fd)
    if len(cicp := chunks.get(b"cICP", b"")) == 4 and is_known(cicp[0], cicp[1]):
        return PngColour(primaries=cicp[0], transfer=cicp[1])
    if b"iCCP" in chunks or b"sRGB" in chunks or len(chunks.get(b"gAMA", b"")) != 4:
        return PngColour()
    [gamma] = struct.unpack(">I", chunks[b"gAMA"])
    if not 0 < gamma <= 10 * _UNIT:
        return PngColour()
    chromaticities, white = _chromaticities(chunks.get(b"cHRM", b""))
    return PngColour(gamma=_UNIT / gamma, chromaticities=chromaticities, white=white)


def _chromaticities(chrm: bytes) -> tuple[Primaries, Xy]:
    """Those of cHRM; sRGB's where it is missing, or no colour can have them."""
    if len(chrm) != 32:
        return SRGB_XY, D65
    numbers = [number / _UNIT for number in struct.unpack(">8I", chrm)]
    white, red, green, blue = zip(numbers[::2], numbers[1::2], strict=True)
    if any(x + y > 1 or y <= 0 for x, y in (white, red, green, blue)):
        return SRGB_XY, D65
    return (red, green, blue), white


def _chunks(fd: int) -> dict[bytes, bytes]:
    """Those before the pixels that are as short as these are, the first of each kind."""
    found: dict[bytes, bytes] = {}
    at = _START
    for _ in range(_MAX_CHUNKS):
        head = os.pread(fd, 8 + 32, at)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if len(head) < 8 or kind == b"IDAT":
            break
        found.setdefault(kind, head[8 : 8 + length])
        at += 12 + length
    return found
