"""Metadata of a TIFF: the file is EXIF's own format, and tags of its first page hold the rest."""

from appliance.imaging.details.blocks import MAX_IPTC_BYTES, MAX_PROFILE_BYTES, MAX_XMP_BYTES, Blocks
from appliance.imaging.directories import Reader
from appliance.imaging.metadata.cleaning import Cleaning
from appliance.imaging.metadata.photoshop import iptc_in
from appliance.imaging.metadata.tags import ICC_PROFILE, IPTC, RESOURCES, XMP

_LIMITS = {XMP: MAX_XMP_BYTES, IPTC: MAX_IPTC_BYTES, RESOURCES: MAX_IPTC_BYTES, ICC_PROFILE: MAX_PROFILE_BYTES}


def find_in_tiff(file: Cleaning, blocks: Blocks) -> None:
    """Raises Unclear, OutOfTime."""
    blocks.exif = file
    reader = Reader.of(file)
    if reader is None:
        return
    page = reader.directory(reader.first, _LIMITS)
    blocks.complete = all(entry.length <= _LIMITS[entry.tag] for entry in page.entries)
    found = {entry.tag: reader.value(entry) for entry in page.entries if entry.length <= _LIMITS[entry.tag]}
    blocks.xmp, blocks.profile = found.get(XMP, b""), found.get(ICC_PROFILE, b"")
    blocks.iptc = found.get(IPTC, b"") or iptc_in(found.get(RESOURCES, b""))
