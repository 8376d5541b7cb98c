"""The details of an open file, from all of its blocks: what EXIF says goes before XMP, and that before IPTC."""

from collections import ChainMap
from collections.abc import Callable

from appliance.domain import formats
from appliance.domain.details import Details, details_of
from appliance.domain.formats import FormatSpec
from appliance.domain.model import KeepMetadata
from appliance.imaging.details.blocks import Blocks
from appliance.imaging.details.exif import Found, told_by_exif
from appliance.imaging.details.gif_blocks import find_in_gif
from appliance.imaging.details.heif_blocks import find_in_heif
from appliance.imaging.details.iptc import told_by_iptc
from appliance.imaging.details.jpeg_blocks import find_in_jpeg
from appliance.imaging.details.png_blocks import find_in_png
from appliance.imaging.details.png_texts import told_by_texts
from appliance.imaging.details.profile import told_by_profile
from appliance.imaging.details.tiff_blocks import find_in_tiff
from appliance.imaging.details.webp_blocks import find_in_webp
from appliance.imaging.details.xmp import told_by_xmp
from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.cleaning import Cleaning, OutOfTime
from appliance.imaging.sniffing import kind_of

_MAX_BYTES = 256 * 1024 * 1024
"""What is read of one file at most."""
_FINDERS: dict[FormatSpec, Callable[[Cleaning, Blocks], None]] = {
    formats.JPEG: find_in_jpeg,
    formats.PNG: find_in_png,
    formats.GIF: find_in_gif,
    formats.WEBP: find_in_webp,
    formats.TIFF: find_in_tiff,
    formats.AVIF: find_in_heif,
    formats.HEIC: find_in_heif,
}


def read_details(fd: int, keep: KeepMetadata) -> Details:
    """What the open file says, as far as `keep` allows it; not complete where a part of it can't be read.

    Raises EmptyUpload, UnsupportedFormat or NotAnImage.
    """
    kind, file = kind_of(fd), Cleaning(fd, keep, max_bytes=_MAX_BYTES)
    blocks, found, complete = Blocks(), list[Found](), True
    steps: tuple[Callable[[], Found | None], ...] = (
        lambda: _FINDERS[kind](file, blocks),
        lambda: told_by_exif(blocks.exif, keep),
        lambda: told_by_xmp(blocks.xmp, keep),
        lambda: told_by_iptc(blocks.iptc, keep),
        lambda: told_by_texts(blocks.texts, keep),
        lambda: told_by_profile(blocks.profile),
    )
    for step in steps:
        try:
            found.append(step() or {})
        except (Unclear, OutOfTime):
            complete = False
    return details_of(ChainMap(*found), complete=complete and blocks.complete)
