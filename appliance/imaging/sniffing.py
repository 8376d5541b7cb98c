"""Which format a file has, by its first bytes alone: names and MIME types that clients send are never asked."""

import os
import re

from appliance.domain.errors import EmptyUpload, NotAnImage, UnsupportedFormat
from appliance.domain.formats import ACCEPTED, FormatSpec

HEAD_BYTES = 4096
*_OTHERS, _LAST = [spec.name for spec in ACCEPTED]
TAKEN = f"Supported formats: {', '.join(_OTHERS)} and {_LAST}"

_SIGNATURES = tuple(
    (re.compile(original.signature, re.DOTALL), spec)
    for spec, original in ACCEPTED.items()
    if original.signature is not None
)

_TEXT = rb"(?:\xef\xbb\xbf)?\s*+"
_PROLOGUE = rb"(?:(?><\?xml.*?\?>|<!--.*?-->|<!DOCTYPE svg.*?>)\s*+)*+"
"""Each group ends at its first end: to try all others takes twice as long for each further one."""
_REFUSED = (
    (rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", "a BMP"),
    (rb"8BPS\0[\x01\x02]", "a Photoshop document"),
    (rb"(?:.{0,1020})%PDF-", "a PDF"),
    (rb"\0\0[\x01\x02]\0[^\0]\0", "an icon file"),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL file"),
    (rb"\0\0\0\x0cjP  \r\n|\xff\x4f\xff\x51", "a JPEG 2000 file"),
    (rb"II\*\0....CR|II\x1a\0\0\0HEAPCCDR|....ftypcrx |FUJIFILMCCD-RAW", "a camera raw file"),
    (rb"II\xbc", "a JPEG XR file"),
    (_TEXT + _PROLOGUE + rb"<(?:svg:)?svg[\s>]", "an SVG"),
    (_TEXT + rb"<(?:!DOCTYPE html|html|head|body|script)\b", "a web page"),
    (rb"qoif", "a QOI"),
    (rb"gimp xcf ", "a GIMP document"),
    (rb"\x76\x2f\x31\x01|#\?(?:RADIANCE|RGBE)", "a high dynamic range image"),
    (rb"P[1-7][\s#]", "a PNM"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript file"),
    (rb"SIMPLE  =|.{128}DICM", "a scientific or medical image"),
    (
        rb"....ftyp|\x1a\x45\xdf\xa3|RIFF....AVI |FLV\x01|\0\0\x01[\xb3\xba]|....(?:moov|mdat)|OggS",
        "a video or audio file",
    ),
    (rb"RIFF....WAVE|ID3|fLaC", "an audio file"),
)
_REFUSED_PATTERNS = tuple((re.compile(pattern, re.DOTALL | re.IGNORECASE), words) for pattern, words in _REFUSED)


def kind_of(fd: int) -> FormatSpec:
    """The format of the open file. Raises EmptyUpload, UnsupportedFormat or NotAnImage."""
    head = os.pread(fd, HEAD_BYTES, 0)
    if not head:
        raise EmptyUpload
    return sniff(head)


def sniff(head: bytes) -> FormatSpec:
    """The format of a file that begins with `head` (up to `HEAD_BYTES`).

    Raises UnsupportedFormat for a known kind of file that is not taken, NotAnImage for anything else.
    """
    for pattern, spec in _SIGNATURES:
        if pattern.match(head):
            return spec
    if in_boxes := _by_brand(head):
        return in_boxes
    for pattern, words in _REFUSED_PATTERNS:
        if pattern.match(head):
            raise UnsupportedFormat(f"This is {words}. {TAKEN}.")
    raise NotAnImage(f"This file isn't an image in a supported format. {TAKEN}.")


def _by_brand(head: bytes) -> FormatSpec | None:
    """The format of an ISO media file, by the brands that its first box names."""
    if head[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}
    return next((spec for spec, original in ACCEPTED.items() if brands & original.brands), None)
