"""IPTC: the datasets of IIM that may stay move together, and zeros follow them."""

from appliance.domain.model import KeepMetadata
from appliance.imaging.metadata.tags import IPTC_ALWAYS, IPTC_CREDITS, MAX_TEXT_BYTES

_MARK = 0x1C
_TELLING = 110
"""Datasets of this number and record or later ones say something; those before them say how to read it."""


def clean_iptc(data: bytes, keep: KeepMetadata) -> bytes:
    """The datasets that may stay, and zeros behind them; all zeros where none of them says anything."""
    wanted = IPTC_CREDITS if keep is KeepMetadata.CREDITS else IPTC_ALWAYS
    kept, says, at = bytearray(), False, 0
    while at + 5 <= len(data) and data[at] == _MARK:
        start, kind = at, (data[at + 1], data[at + 2])
        length, at = int.from_bytes(data[at + 3 : at + 5], "big"), at + 5
        if length & 0x8000:  # an extended dataset: so many bytes hold its length
            size = min(length & 0x7FFF, 8)
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        end = at + length
        if end > len(data):
            break
        if kind in wanted and length <= MAX_TEXT_BYTES:
            kept += data[start:end]
            says |= kind not in _FRAME
        at = end
    return bytes(kept if says else b"").ljust(len(data), b"\0")


_FRAME = frozenset({(1, 90), (2, 0)})
