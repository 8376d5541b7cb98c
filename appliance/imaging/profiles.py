"""ICC profiles: what colours one describes, whatever its name says, and compact ones of our own.

Colours are worked out as the ICC has it: XYZ relative to D50, columns of a matrix for red, green and blue, and a curve
from a code (0 to 1) to light (0 to 1). Malformed profiles describe nothing.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from appliance.imaging.matrices import (
    ADOBE_XY,
    D50,
    D65,
    P3_XY,
    SRGB_XY,
    Matrix,
    Primaries,
    Vector,
    Xy,
    inverted,
    matrix_of,
    multiply,
    transposed,
    xyz_of,
)

Curve = Callable[[float], float]
_MAX_TAGS, _MAX_CURVE = 100, 4096
_TABLES = frozenset((b"A2B0", b"A2B1", b"D2B0", b"D2B1"))

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_ADOBE_GAMMA = 563 / 256

_SAME_COLORANT, _SAME_CODE, _BEYOND = 0.004, 0.006, 0.02
"""How far two spaces may be apart to count as one (XYZ; 1.5 of 255 codes), and out of sRGB to count as wide."""
_STEPS = 16


class Space(Enum):
    """The spaces that renditions are in."""

    SRGB = "sRGB"
    P3 = "Display P3"
    ADOBE = "Adobe RGB (1998)"


@dataclass(frozen=True, slots=True)
class Description:
    """What a profile's image is shown in: the space that keeps its gamut. `is_exact`: its codes are that space's."""

    space: Space
    is_exact: bool


def describe(profile: bytes) -> Description:
    """The space for an image with this profile. What is no RGB of three colorants goes to sRGB."""
    try:
        return _described(profile)
    except (struct.error, ValueError, ZeroDivisionError, OverflowError, IndexError):
        return Description(Space.SRGB, is_exact=False)


def _described(profile: bytes) -> Description:
    if profile[16:20] == b"GRAY":
        [curve] = _curves(profile, (b"kTRC",))
        return Description(Space.SRGB, is_exact=_same_codes(curve, _parametric(SRGB_CURVE)))
    tags = dict(_tags(profile))
    if profile[16:20] != b"RGB " or not {b"rXYZ", b"gXYZ", b"bXYZ"} <= tags.keys():
        return Description(Space.SRGB, is_exact=False)
    red, green, blue = (_xyz(profile, tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ"))
    colorants = transposed((red, green, blue))
    for space, target, curve in _known():
        if _near(colorants, target):
            curves = _curves(profile, (b"rTRC", b"gTRC", b"bTRC"))
            is_exact = not _TABLES & tags.keys() and all(_same_codes(each, curve) for each in curves)
            if space is not Space.ADOBE or is_exact:
                return Description(space, is_exact)
    return Description(Space.P3 if _is_wide(colorants) else Space.SRGB, is_exact=False)


def _known() -> Iterator[tuple[Space, Matrix, Curve]]:
    yield Space.SRGB, matrix_of(SRGB_XY, D65), _parametric(SRGB_CURVE)
    yield Space.P3, matrix_of(P3_XY, D65), _parametric(SRGB_CURVE)
    yield Space.ADOBE, matrix_of(ADOBE_XY, D65), lambda code: code**_ADOBE_GAMMA


def _near(one: Matrix, other: Matrix) -> bool:
    rows = zip(one, other, strict=True)
    return all(abs(a - b) <= _SAME_COLORANT for left, right in rows for a, b in zip(left, right, strict=True))


def _same_codes(one: Curve, other: Curve) -> bool:
    """Compared where the eye does: after coding the light again, roughly."""
    return all(
        abs(max(0.0, one(step / _STEPS)) ** (1 / 2.2) - max(0.0, other(step / _STEPS)) ** (1 / 2.2)) <= _SAME_CODE
        for step in range(_STEPS + 1)
    )


def _is_wide(colorants: Matrix) -> bool:
    """Whether one of the primaries lies outside of sRGB."""
    inside = multiply(inverted(matrix_of(SRGB_XY, D65)), colorants)
    return any(not -_BEYOND <= value <= 1 + _BEYOND for row in inside for value in row)


# --- reading ------------------------------------------------------------------------------------------------------


def _tags(profile: bytes) -> Iterator[tuple[bytes, bytes]]:
    [count] = struct.unpack_from(">I", profile, 128)
    for number in range(min(count, _MAX_TAGS)):
        name, at, length = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        yield name, profile[at : at + length]


def _xyz(profile: bytes, tag: bytes) -> Vector:
    x, y, z = struct.unpack_from(">iii", tag, 8)
    return x / 65536, y / 65536, z / 65536


def _curves(profile: bytes, names: tuple[bytes, ...]) -> list[Curve]:
    tags = dict(_tags(profile))
    if any(name not in tags for name in names):
        raise ValueError("a profile without curves")
    return [_curve(tags[name]) for name in names]


def _curve(tag: bytes) -> Curve:
    if tag[:4] == b"para":
        return _read_parametric(tag)
    if tag[:4] != b"curv":
        raise ValueError("a curve of another kind")
    [count] = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return lambda code: code
    if count == 1:
        gamma = struct.unpack_from(">H", tag, 12)[0] / 256
        return lambda code: code**gamma
    if count > _MAX_CURVE:
        raise ValueError("a curve of too many points")
    points = struct.unpack_from(f">{count}H", tag, 12)
    return lambda code: points[round(code * (count - 1))] / 65535


def _read_parametric(tag: bytes) -> Curve:
    [kind] = struct.unpack_from(">H", tag, 8)
    count = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}[kind] if kind <= 4 else 0
    numbers = [value / 65536 for value in struct.unpack_from(f">{count}i", tag, 12)]
    if kind == 0:
        return lambda code: code ** numbers[0]
    if kind == 3:
        return _parametric((numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]))
    raise ValueError("a curve of a kind that no common space has")


def _parametric(numbers: tuple[float, float, float, float, float]) -> Curve:
    gamma, slope, offset, linear, limit = numbers
    return lambda code: max(0.0, slope * code + offset) ** gamma if code >= limit else linear * code


# --- making -------------------------------------------------------------------------------------------------------


def rgb_profile(primaries: Primaries, white: Xy, curve: bytes, name: str = "") -> bytes:
    """A profile of three colorants with one curve, some 400 bytes. `curve` is a tag's body: see `gamma_curve`."""
    columns = transposed(matrix_of(primaries, white))
    tags = [(tag, _pack_xyz(column)) for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)]
    return _profile(b"RGB ", [*tags, (b"rTRC", curve), (b"gTRC", curve), (b"bTRC", curve)], name)


def grey_profile(curve: bytes) -> bytes:
    """A profile of grey with a curve."""
    return _profile(b"GRAY", [(b"kTRC", curve)], "")


def gamma_curve(gamma: float) -> bytes:
    """The curve of a power."""
    return b"para" + struct.pack(">IHHi", 0, 0, 0, _fixed(gamma))


def parametric_curve(numbers: tuple[float, float, float, float, float] = SRGB_CURVE) -> bytes:
    """A curve of a power with a straight beginning; sRGB's by default."""
    return b"para" + struct.pack(">IHH5i", 0, 3, 0, *map(_fixed, numbers))


def compact(space: Space) -> bytes:
    """The profile of what renditions are in; none for sRGB, which all programs take for granted."""
    return _COMPACT[space]


def _profile(space: bytes, tags: list[tuple[bytes, bytes]], name: str) -> bytes:
    white = xyz_of(D50)
    tags = [(b"desc", _text(name)), (b"cprt", _text("CC0")), (b"wtpt", _pack_xyz(white)), *tags]
    body, places, at = b"", {}, 132 + 12 * len(tags)
    table = struct.pack(">I", len(tags))
    for tag, data in tags:
        if data not in places:
            places[data] = at + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", tag, places[data], len(data))
    size = 132 + 12 * len(tags) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x04200000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    return head.ljust(68, b"\0") + struct.pack(">iii", *map(_fixed, white)) + bytes(48) + table + body


def _text(text: str) -> bytes:
    words = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(words), 28) + words


def _pack_xyz(values: Vector) -> bytes:
    return b"XYZ " + struct.pack(">Iiii", 0, *map(_fixed, values))


def _fixed(value: float) -> int:
    return max(-(2**31), min(2**31 - 1, round(value * 65536)))


_COMPACT = {
    Space.SRGB: b"",
    Space.P3: rgb_profile(P3_XY, D65, parametric_curve(), Space.P3.value),
    Space.ADOBE: rgb_profile(ADOBE_XY, D65, gamma_curve(_ADOBE_GAMMA), Space.ADOBE.value),
}
