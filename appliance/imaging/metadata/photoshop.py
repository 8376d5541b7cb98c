"""Photoshop's image resources: those that may stay move together, and zeros follow them."""

from collections.abc import Iterator

from appliance.domain.model import KeepMetadata
from appliance.imaging.metadata.cleaning import Cleaner
from appliance.imaging.metadata.icc import clean_icc
from appliance.imaging.metadata.iptc import clean_iptc
from appliance.imaging.metadata.xmp import clean_xmp

_SIGNATURE = b"8BIM"
_LENGTHS = {1005: 16, 1034: 1}
"""Resolution, and whether copyright is claimed."""
_IPTC, _COPYRIGHT_URL, _MAX_URL_BYTES = 1028, 1035, 2048
_CLEANERS: dict[int, Cleaner] = {_IPTC: clean_iptc, 1039: clean_icc, 1060: clean_xmp}
_SIGNATURES = (_SIGNATURE, b"PHUT", b"AgHg", b"DCSR", b"MeSa")
_BLANKS = b"\0 \r\n\t"


def clean_resources(data: bytes, keep: KeepMetadata) -> bytes:
    """The resources that may stay, and zeros behind them; all zeros where there are none.

    IPTC is the last, and the zeros are a part of it: readers know of them there.
    """
    kept, last = bytearray(), b""
    for kind, resource in _resources(data):
        value = _stays(kind, resource, keep)
        if kind == _IPTC and value:
            last = value
        elif value:
            kept += _packed(kind, value)
    left = len(data) - len(kept) - 12
    if last and left >= len(last):
        kept += _packed(_IPTC, last.ljust(left - left % 2, b"\0"))
    return bytes(kept)[: len(data)].ljust(len(data), b"\0")


def iptc_in(data: bytes) -> bytes:
    """The first IPTC among the resources; nothing where there is none."""
    return next((value for kind, value in _resources(data) if kind == _IPTC), b"")


def _resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Photoshop's own resources, each with its kind, up to the first that isn't whole."""
    at = 0
    while at + 12 <= len(data) and data[at : at + 4] in _SIGNATURES:
        signature, kind = data[at : at + 4], int.from_bytes(data[at + 4 : at + 6], "big")
        start = at + 6 + (data[at + 6] + 2) // 2 * 2 + 4
        end = start + int.from_bytes(data[start - 4 : start], "big")
        if end > len(data) or start > len(data):
            return
        if signature == _SIGNATURE:
            yield kind, data[start:end]
        at = end + (end - start) % 2


def _packed(kind: int, value: bytes) -> bytes:
    head = _SIGNATURE + kind.to_bytes(2, "big") + b"\0\0" + len(value).to_bytes(4, "big")
    return head + value + bytes(len(value) % 2)


def _stays(kind: int, value: bytes, keep: KeepMetadata) -> bytes:
    """What stays of a resource; nothing where all of it goes."""
    if kind in _CLEANERS:
        return _CLEANERS[kind](value, keep).rstrip(_BLANKS)
    if kind == _COPYRIGHT_URL:
        return value if len(value) <= _MAX_URL_BYTES else b""
    return value if len(value) == _LENGTHS.get(kind) else b""
