"""The formats, a row each: all that is known of one without decoding it. Other modules derive their tables from here.

A new format needs a row, its loader and its cleaner (an original) or its saver (a rendition) in `appliance.imaging`,
and tests; `tests/unit/test_formats.py` says what one lacks. Times are nanoseconds of one core, measured with libvips
8.18; memory is what a worker grows by while it makes all four sizes.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Format(StrEnum):
    """A format that renditions are written in, named by its URL extension."""

    JPG = "jpg"
    WEBP = "webp"
    AVIF = "avif"
    PNG = "png"
    GIF = "gif"

    @property
    def spec(self) -> "RenditionSpec":
        """Its row's part on renditions."""
        rendition = _BY_EXTENSION[self.value].rendition
        assert rendition is not None, "a format that renditions are made in has a row that says how"
        return rendition

    @property
    def media_type(self) -> str:
        return _BY_EXTENSION[self.value].media_type

    @property
    def has_alpha(self) -> bool:
        return self.spec.has_alpha

    @property
    def has_animation(self) -> bool:
        return self.spec.has_animation


@dataclass(frozen=True, slots=True)
class OriginalSpec:
    """A format that uploads are accepted in.

    A file is recognised by its first bytes: the pattern `signature` or, where it consists of boxes, one of `brands`.
    """

    decode_ns: float
    """A pixel, all four sizes from one decode, on images of 48 to 400 million pixels."""
    signature: bytes | None = None
    brands: frozenset[bytes] = frozenset()
    progressive_ns: float | None = None
    """The same for a progressive or interlaced file, where that takes longer."""
    held_bytes: float = 0
    """A pixel that is held whatever is read of it; none where an image is read from top to bottom."""
    full_size_bytes: int = 0
    """A pixel more where it is decoded at its full size, for a decoder that can leave something away as it loads."""
    is_animated: bool = False
    """Whether all frames of an animation can be had."""


@dataclass(frozen=True, slots=True)
class RenditionSpec:
    """A format that renditions and regions are made in."""

    write_ns: int
    """A pixel of a photograph of 25 million pixels."""
    size_rank: int
    """Its place by the bytes of its files, the smallest first."""
    has_alpha: bool = True
    has_animation: bool = False
    is_lossy: bool = False
    has_all_colours: bool = True
    """Whether it shows a photograph as it is; GIF has 256 colours."""
    area_divisor: int = 1
    """How much less a region may show than a JPEG, where writing it takes longer: each is done in some two seconds."""
    motion_factor: int = 1
    """How much dearer a pixel of an animation is than one of WebP."""


@dataclass(frozen=True, slots=True)
class FormatSpec:
    """A row: one format, as people, files and HTTP name it, and what this host does with it."""

    name: str
    media_type: str
    extension: str
    other_extensions: tuple[str, ...] = ()
    """What else files of this format are called."""
    is_in_browsers: bool = False
    """Whether every current browser shows it."""
    original: OriginalSpec | None = field(default=None, kw_only=True)
    rendition: RenditionSpec | None = field(default=None, kw_only=True)


JPEG = FormatSpec(
    "JPEG",
    "image/jpeg",
    "jpg",
    ("jpeg", "jpe", "jfif"),
    is_in_browsers=True,
    original=OriginalSpec(decode_ns=2.1, progressive_ns=8.5, signature=rb"\xff\xd8\xff"),  # decoded at a quarter
    rendition=RenditionSpec(write_ns=56, size_rank=3, has_alpha=False, is_lossy=True),
)
PNG = FormatSpec(
    "PNG",
    "image/png",
    "png",
    ("apng",),
    is_in_browsers=True,
    original=OriginalSpec(decode_ns=16, progressive_ns=31, signature=rb"\x89PNG\r\n\x1a\n", is_animated=True),
    rendition=RenditionSpec(write_ns=364, size_rank=4, area_divisor=4),
)
GIF = FormatSpec(
    "GIF",
    "image/gif",
    "gif",
    is_in_browsers=True,
    original=OriginalSpec(decode_ns=30, signature=rb"GIF8[79]a", held_bytes=5, is_animated=True),
    rendition=RenditionSpec(
        write_ns=1000, size_rank=5, has_animation=True, has_all_colours=False, area_divisor=16, motion_factor=5
    ),
)
WEBP = FormatSpec(
    "WebP",
    "image/webp",
    "webp",
    is_in_browsers=True,
    original=OriginalSpec(
        decode_ns=20, signature=rb"RIFF.{4}WEBP", held_bytes=4.2, full_size_bytes=9, is_animated=True
    ),
    rendition=RenditionSpec(write_ns=172, size_rank=2, has_animation=True, is_lossy=True, area_divisor=2),
)
TIFF = FormatSpec(
    "TIFF",
    "image/tiff",
    "tiff",
    ("tif",),
    original=OriginalSpec(
        decode_ns=9,
        signature=rb"II\*\0(?!....CR)|MM\0\*|II\+\0\x08\0|MM\0\+\0\x08",  # CR: a camera's raw file
    ),
)
AVIF = FormatSpec(
    "AVIF",
    "image/avif",
    "avif",
    is_in_browsers=True,
    original=OriginalSpec(decode_ns=35, brands=frozenset((b"avif", b"avis")), held_bytes=18),
    rendition=RenditionSpec(write_ns=260, size_rank=1, is_lossy=True, area_divisor=4),
)
HEIC = FormatSpec(
    "HEIC",
    "image/heic",
    "heic",
    ("heif",),
    original=OriginalSpec(
        decode_ns=41,
        brands=frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")),
        held_bytes=13,
    ),
)
HEIF = FormatSpec("HEIF", "image/heif", "heif", ("heic",))
"""Another name of HEIC, which clients send and old rows have."""

FORMATS = (JPEG, PNG, GIF, WEBP, TIFF, AVIF, HEIC, HEIF)
_BY_EXTENSION = {spec.extension: spec for spec in FORMATS}
BY_MEDIA_TYPE = {spec.media_type: spec for spec in FORMATS}
ACCEPTED = {spec: spec.original for spec in FORMATS if spec.original is not None}
"""The formats that uploads are accepted in, in the order in which a file is compared with them."""
ACCEPTED_NAMES = tuple(spec.name for spec in ACCEPTED)
ACCEPTED_TYPES = frozenset(spec.media_type for spec in ACCEPTED)
ANIMATED_TYPES = frozenset(spec.media_type for spec, original in ACCEPTED.items() if original.is_animated)
LOSSY = tuple(each for each in Format if each.spec.is_lossy)


def original_of(media_type: str) -> OriginalSpec:
    """What is known of originals of that type; of an unknown one, what is known of the slowest."""
    spec = BY_MEDIA_TYPE.get(media_type)
    return (spec and spec.original) or max(ACCEPTED.values(), key=lambda original: original.decode_ns)
