"""IPTC: the datasets of IIM that name a place become blanks."""

from appliance.imaging.private.names import IPTC_DATASETS
from appliance.model import KeepMetadata


def clean_iptc(data: bytes, _keep: KeepMetadata) -> bytes:
    """The datasets, with those that tell a place blanked."""
    cleaned, at = bytearray(data), 0
    while at + 5 <= len(data) and data[at] == 0x1C:
        record, dataset = data[at + 1], data[at + 2]
        length, at = int.from_bytes(data[at + 3 : at + 5], "big"), at + 5
        if length & 0x8000:  # an extended dataset: so many bytes hold its length
            size = length & 0x7FFF
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        length = min(length, max(0, len(data) - at))
        if record == 2 and dataset in IPTC_DATASETS:
            cleaned[at : at + length] = b" " * length
        at += length
    return bytes(cleaned)
