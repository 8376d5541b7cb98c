"""Colours given as code points (ITU-T H.273), by nclx in HEIF and cICP in PNG, as ICC profiles."""

import functools

from appliance.imaging import profiles
from appliance.imaging.matrices import BT2020_XY, D65, P3_XY, SRGB_XY, Primaries, Xy

PQ, HLG = 16, 18
"""Transfers of high dynamic range, which no profile describes: `hdr` maps their tones."""
_SRGB_PRIMARIES, _SRGB_TRANSFER, _UNSPECIFIED = 1, 13, 2
_DCI_WHITE: Xy = (0.314, 0.351)
_PRIMARIES: dict[int, tuple[Primaries, Xy]] = {
    1: (SRGB_XY, D65),
    4: (((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)), (0.310, 0.316)),
    5: (((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)), D65),
    6: (((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), D65),
    7: (((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), D65),
    9: (BT2020_XY, D65),
    11: (P3_XY, _DCI_WHITE),
    12: (P3_XY, D65),
}


def is_hdr(transfer: int) -> bool:
    """Whether it codes more light than a screen's white."""
    return transfer in (PQ, HLG)


def primaries_of(code: int) -> Primaries:
    """The chromaticities of a code point; sRGB's of an unknown one."""
    return _PRIMARIES.get(code, _PRIMARIES[_SRGB_PRIMARIES])[0]


def is_known(primaries: int, transfer: int) -> bool:
    """Whether these code points say what the codes mean."""
    return primaries in _PRIMARIES and (is_hdr(transfer) or transfer in _CURVES)


@functools.cache
def grey_profile_of(transfer: int) -> bytes | None:
    """The profile of grey with a transfer; None where it is sRGB's, or not known."""
    curve = _CURVES.get(transfer)
    return None if curve is None or curve == _CURVES[_SRGB_TRANSFER] else profiles.grey_profile(curve)


@functools.cache
def profile_of(primaries: int, transfer: int) -> bytes | None:
    """The profile of two code points; None where they mean sRGB, or nothing that is known."""
    if primaries not in _PRIMARIES or transfer == _UNSPECIFIED:
        primaries = primaries if primaries in _PRIMARIES else _SRGB_PRIMARIES
        transfer = _SRGB_TRANSFER
    curve = _CURVES.get(transfer)
    if curve is None or (primaries == _SRGB_PRIMARIES and curve == _CURVES[_SRGB_TRANSFER]):
        return None
    return profiles.rgb_profile(*_PRIMARIES[primaries], curve)


# Video (1, 6, 14, 15) is coded by another curve than sRGB, but is shown by sRGB's, as browsers do.
_CURVES: dict[int, bytes] = {
    4: profiles.gamma_curve(2.2),
    5: profiles.gamma_curve(2.8),
    8: profiles.gamma_curve(1.0),
    17: profiles.gamma_curve(2.6),
    **dict.fromkeys((1, 6, 11, 13, 14, 15), profiles.parametric_curve()),
}
