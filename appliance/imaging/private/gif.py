"""GIF: XMP in an application block.

Readers that don't know the block take each byte of the XMP for the length of a sub-block; the trailer behind it catches
them wherever they land. Blanks are such a length too, so the chain still ends where it did.
"""

from appliance.imaging.private.cleaning import Cleaning
from appliance.imaging.private.xmp import clean_xmp

_MARK = b"!\xff\x0bXMP DataXMP"
_TRAILER = b"\x01\xff\xfe\xfd\xfc"
_CHUNK_BYTES = 4 * 1024 * 1024
_MAX_XMP_BYTES = 16 * 1024 * 1024


def clean_gif(cleaning: Cleaning) -> None:
    """Every XMP block of a GIF file."""
    start = 0
    while start < cleaning.length:
        chunk = cleaning.read(start, _CHUNK_BYTES)
        at = chunk.find(_MARK)
        if at >= 0:
            start += at + len(_MARK)
            _packet(cleaning, start)
        else:
            start += max(1, len(chunk) - len(_MARK))


def _packet(cleaning: Cleaning, start: int) -> None:
    data = cleaning.read(start, _MAX_XMP_BYTES)
    length = data.find(_TRAILER)
    if length < 0:
        cleaning.complete = False
    else:
        cleaning.block([(start, length)], clean_xmp)
