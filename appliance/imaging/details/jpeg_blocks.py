"""Metadata of a JPEG: the segments before its first scan."""

from appliance.imaging.details.blocks import MAX_IPTC_BYTES, MAX_PROFILE_BYTES, Blocks
from appliance.imaging.directories import Block
from appliance.imaging.metadata.cleaning import Cleaning
from appliance.imaging.metadata.exif import EXIF_MARK
from appliance.imaging.metadata.photoshop import iptc_in
from appliance.imaging.metadata.segments import SOS, Segment, segments

_APP1, _APP2, _APP13 = 0xE1, 0xE2, 0xED
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PROFILE, _PART_BYTES = b"ICC_PROFILE\0", 2
_RESOURCES = b"Photoshop 3.0\0"


def find_in_jpeg(file: Cleaning, blocks: Blocks) -> None:
    """Raises Unclear, OutOfTime."""
    profile, resources = b"", b""
    for segment in segments(file, 2):
        if segment.marker == SOS:
            break
        if _is(segment, _APP1, EXIF_MARK) and not blocks.exif.length:
            blocks.exif = Block(_behind(file, segment, len(EXIF_MARK)))
        elif _is(segment, _APP1, _XMP) and not blocks.xmp:
            blocks.xmp = _behind(file, segment, len(_XMP))
        elif _is(segment, _APP2, _PROFILE) and len(profile) < MAX_PROFILE_BYTES:
            profile += _behind(file, segment, len(_PROFILE) + _PART_BYTES)
        elif _is(segment, _APP13, _RESOURCES) and len(resources) < MAX_IPTC_BYTES:
            resources += _behind(file, segment, len(_RESOURCES))
    blocks.profile, blocks.iptc = profile, iptc_in(resources)


def _is(segment: Segment, marker: int, mark: bytes) -> bool:
    return segment.marker == marker and segment.head.startswith(mark)


def _behind(file: Cleaning, segment: Segment, mark_bytes: int) -> bytes:
    return file.read(segment.body + mark_bytes, segment.end - segment.body - mark_bytes)
