"""Which format a file has, by its first bytes alone: names and MIME types that clients send are never asked."""

import re
from dataclasses import dataclass
from enum import Enum

from appliance.errors import NotAnImage, UnsupportedFormat

HEAD_BYTES = 4096
TAKEN = "Supported formats: JPEG, PNG, GIF, WebP, TIFF, AVIF and HEIC"


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    media_type: str


class Kind(Enum):
    """A format that is taken."""

    JPEG = _Named("JPEG", "image/jpeg")
    PNG = _Named("PNG", "image/png")
    GIF = _Named("GIF", "image/gif")
    WEBP = _Named("WebP", "image/webp")
    TIFF = _Named("TIFF", "image/tiff")
    AVIF = _Named("AVIF", "image/avif")
    HEIC = _Named("HEIC", "image/heic")

    @property
    def words(self) -> str:
        """The format's name for a person."""
        return self.value.name

    @property
    def media_type(self) -> str:
        return self.value.media_type


_TAKEN = (
    (re.compile(rb"\xff\xd8\xff"), Kind.JPEG),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), Kind.PNG),
    (re.compile(rb"GIF8[79]a"), Kind.GIF),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), Kind.WEBP),
    (re.compile(rb"II\*\0(?!....CR)|MM\0\*|II\+\0\x08\0|MM\0\+\0\x08", re.DOTALL), Kind.TIFF),
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

_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"))


def sniff(head: bytes) -> Kind:
    """The format of a file that begins with `head` (up to `HEAD_BYTES`).

    Raises UnsupportedFormat for a known kind of file that is not taken, NotAnImage for anything else.
    """
    for pattern, kind in _TAKEN:
        if pattern.match(head):
            return kind
    if kind_in_box := _heif_kind(head):
        return kind_in_box
    for pattern, words in _REFUSED_PATTERNS:
        if pattern.match(head):
            raise UnsupportedFormat(f"This is {words}. {TAKEN}.")
    raise NotAnImage(f"This file isn't an image in a supported format. {TAKEN}.")


def _heif_kind(head: bytes) -> Kind | None:
    if head[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if brands & _AVIF_BRANDS:
        return Kind.AVIF
    return Kind.HEIC if brands & _HEIC_BRANDS else None
