"""WebP: the RIFF chunks that hold EXIF and XMP."""

from appliance.imaging.private.cleaning import Cleaner, Cleaning
from appliance.imaging.private.exif import clean_exif
from appliance.imaging.private.xmp import clean_xmp

_CLEANERS: dict[bytes, Cleaner] = {b"EXIF": clean_exif, b"XMP ": clean_xmp}
_MAX_CHUNKS = 1_000_000


def clean_webp(cleaning: Cleaning) -> None:
    """Every chunk of a WebP file."""
    at = 12
    for _ in range(_MAX_CHUNKS):
        head = cleaning.read(at, 8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[4:], "little")
        if head[:4] in _CLEANERS:
            cleaning.block([(at + 8, length)], _CLEANERS[head[:4]])
        elif head[:4] == b"C2PA":  # content credentials: signed
            cleaning.complete = False
        at += 8 + length + length % 2
    cleaning.complete = False
