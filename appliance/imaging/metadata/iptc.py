"""IPTC: the datasets of IIM that may stay move together, and zeros follow them."""

from collections.abc import Iterator
from typing import NamedTuple

from appliance.domain.model import KeepMetadata
from appliance.imaging.metadata.tags import IPTC_ALWAYS, IPTC_CREDITS, MAX_TEXT_BYTES

_MARK = 0x1C
_TELLING = 110
"""Datasets of this number and record or later ones say something; those before them say how to read it."""


class Dataset(NamedTuple):
    """One dataset: its `kind` is record and number, its `value` goes from `body` to `end`."""

    kind: tuple[int, int]
    start: int
    body: int
    end: int


def datasets(data: bytes) -> Iterator[Dataset]:
    """Those that lie one behind another, up to the first that isn't whole."""
    at = 0
    while at + 5 <= len(data) and data[at] == _MARK:
        start, kind = at, (data[at + 1], data[at + 2])
        length, at = int.from_bytes(data[at + 3 : at + 5], "big"), at + 5
        if length & 0x8000:  # an extended dataset: so many bytes hold its length
            size = min(length & 0x7FFF, 8)
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            return
        yield Dataset(kind, start, at, at + length)
        at += length


def clean_iptc(data: bytes, keep: KeepMetadata) -> bytes:
    """The datasets that may stay, and zeros behind them; all zeros where none of them says anything."""
    wanted = IPTC_CREDITS if keep is KeepMetadata.CREDITS else IPTC_ALWAYS
    kept, says = bytearray(), False
    for kind, start, body, end in datasets(data):
        if kind in wanted and end - body <= MAX_TEXT_BYTES:
            kept += data[start:end]
            says |= kind not in _FRAME
    return bytes(kept if says else b"").ljust(len(data), b"\0")


_FRAME = frozenset({(1, 90), (2, 0)})
