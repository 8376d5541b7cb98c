"""Metadata of a GIF: XMP and a profile, in blocks of applications."""

from appliance.imaging.details.blocks import MAX_PROFILE_BYTES, MAX_XMP_BYTES, Blocks
from appliance.imaging.metadata.cleaning import Cleaning
from appliance.imaging.metadata.gif import PROFILE, XMP, XMP_TRAILER, SubBlocks, after_table

_EXTENSION, _IMAGE = 0x21, 0x2C
_NAME_BYTES = 14
_PIECE_BYTES = 1024 * 1024


def find_in_gif(file: Cleaning, blocks: Blocks) -> None:
    """Raises Unclear, OutOfTime."""
    window = SubBlocks(file, _PIECE_BYTES)
    at = after_table(6 + 7, window.read(10, 1))
    while at < file.length:
        kind, name = window.read(at, 1)[0], window.read(at + 3, 11)
        if kind == _IMAGE:
            at = window.after_sub_blocks(1 + after_table(at + 10, window.read(at + 9, 1)))
        elif kind == _EXTENSION and name == XMP and not blocks.xmp:
            blocks.xmp, _, _ = file.read(at + _NAME_BYTES, MAX_XMP_BYTES).partition(XMP_TRAILER)
            at += _NAME_BYTES + len(blocks.xmp) + len(XMP_TRAILER)
        elif kind == _EXTENSION:
            end = window.after_sub_blocks(at + 2)
            if name == PROFILE and end - at <= MAX_PROFILE_BYTES:
                blocks.profile = blocks.profile or _joined(file.read(at + _NAME_BYTES, end - at - _NAME_BYTES))
            at = end
        else:  # the trailer, or what is none of a GIF's
            return


def _joined(data: bytes) -> bytes:
    """What lies in sub-blocks."""
    pieces, at = list[bytes](), 0
    while at < len(data) and data[at]:
        pieces.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(pieces)
