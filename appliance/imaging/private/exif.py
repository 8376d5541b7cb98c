"""EXIF blocks and Photoshop resources: small TIFF files, and lists, that other formats carry."""

from appliance.imaging.private.cleaning import Unclear
from appliance.imaging.private.iptc import clean_iptc
from appliance.imaging.private.tiff import Cleaners, Plan, Walk
from appliance.imaging.private.xmp import clean_xmp
from appliance.model import KeepMetadata

EXIF_MARK = b"Exif\0\0"
_IPTC, _EXIF, _XMP = (0x0404,), (0x0422, 0x0423), (0x0424,)
_ROUNDS = 4
_SIGNATURES = (b"8BIM", b"PHUT", b"AgHg", b"DCSR", b"MeSa")


def clean_exif(block: bytes, keep: KeepMetadata) -> bytes:
    """An EXIF block, with or without its mark in front. Raises Unclear for what can't be read as one."""
    start = len(EXIF_MARK) if block.startswith(EXIF_MARK) else 0
    tiff = block[start:]
    if not tiff.strip(b"\0"):
        return block
    for _ in range(_ROUNDS):
        plan = Walk(_Block(tiff), EMBEDDED, keep).plan()
        if plan is None or not plan.complete:
            raise Unclear("an EXIF block that can't be read to its end")
        before, tiff = tiff, _applied(plan, tiff)
        if tiff == before:
            return block[:start] + tiff
    raise Unclear("directories that lie over one another")


def _applied(plan: Plan, tiff: bytes) -> bytes:
    """Where a maker note went, all that nothing points to goes with it: notes point outside of themselves."""
    if plan.whole:
        plan.wipes.append((0, len(tiff)))
    cleaned = bytearray(tiff)
    for start, end in plan.wiped():
        cleaned[start:end] = bytes(end - start)
    for offset, data in plan.writes:
        cleaned[offset : offset + len(data)] = data
    return bytes(cleaned)


class _Block:
    """A TIFF file in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length = len(data)

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + max(0, length)] if offset >= 0 else b""


def clean_resources(data: bytes, keep: KeepMetadata) -> bytes:
    """Photoshop image resources, with what IPTC, EXIF and XMP in them tell cleaned."""
    cleaned, at = bytearray(data), 0
    while at + 12 <= len(data) and data[at : at + 4] in _SIGNATURES:
        kind = int.from_bytes(data[at + 4 : at + 6], "big")
        at += 6 + (data[at + 6] + 2) // 2 * 2
        size, at = int.from_bytes(data[at : at + 4], "big"), at + 4
        end = min(at + size, len(data))
        if at < end:
            cleaned[at:end] = _clean_resource(kind, data[at:end], keep)
        at += size + size % 2
    return bytes(cleaned)


def _clean_resource(kind: int, data: bytes, keep: KeepMetadata) -> bytes:
    if kind in _IPTC:
        return clean_iptc(data, keep)
    if kind in _EXIF:
        return clean_exif(data, keep)
    return clean_xmp(data, keep) if kind in _XMP else data


EMBEDDED: Cleaners = {0x02BC: clean_xmp, 0x83BB: clean_iptc, 0x8649: clean_resources}
"""What other metadata a TIFF or EXIF tag may hold."""
