"""Metadata of a WebP: the chunks that are not pixels."""

from appliance.imaging.details.blocks import MAX_EXIF_BYTES, MAX_PROFILE_BYTES, MAX_XMP_BYTES, Blocks
from appliance.imaging.directories import Block, Unclear
from appliance.imaging.metadata.cleaning import Cleaning
from appliance.imaging.metadata.exif import EXIF_MARK
from appliance.imaging.metadata.window import Window

_MAX_CHUNKS = 100_000
_LIMITS = {b"EXIF": MAX_EXIF_BYTES, b"XMP ": MAX_XMP_BYTES, b"ICCP": MAX_PROFILE_BYTES}
"""What is looked at, and how long it is at most."""


def find_in_webp(file: Cleaning, blocks: Blocks) -> None:
    """Raises Unclear, OutOfTime."""
    window, at = Window(file), 12
    for _ in range(_MAX_CHUNKS):
        head = window.read(at, 8)
        if len(head) < 8:
            return
        kind, length = head[:4], int.from_bytes(head[4:], "little")
        if kind in _LIMITS and length <= _LIMITS[kind]:
            _take(kind, file.read(at + 8, length), blocks)
        blocks.complete &= length <= _LIMITS.get(kind, length)
        at += 8 + length + length % 2
    raise Unclear("more chunks than are looked at")


def _take(kind: bytes, data: bytes, blocks: Blocks) -> None:
    match kind:
        case b"EXIF":
            blocks.exif = blocks.exif if blocks.exif.length else Block(data.removeprefix(EXIF_MARK))
        case b"XMP ":
            blocks.xmp = blocks.xmp or data
        case b"ICCP":
            blocks.profile = blocks.profile or data
