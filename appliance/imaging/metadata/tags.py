"""The tags of TIFF and EXIF, and the datasets of IPTC, that may stay; everything that isn't named here goes."""

from dataclasses import dataclass

from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Entry

MAX_TEXT_BYTES = 16 * 1024
_MAX_TABLE = 1_000_000
_WHOLE = frozenset({1, 3, 4, 6, 8, 9, 13, 16, 17, 18})
_NUMBERS = frozenset({1, 3, 4, 5, 6, 8, 9, 10, 11, 12, 16, 17})
_TEXTS = frozenset({2, 129})
_BYTES = frozenset({1, 7})


@dataclass(frozen=True, slots=True)
class Rule:
    """What a tag's value has to be like to stay: one of these types, and so many of them at most."""

    types: frozenset[int]
    max_count: int

    def allows(self, entry: Entry) -> bool:
        return entry.type in self.types and 0 < entry.count <= self.max_count


Rules = dict[int, Rule]

_ONE, _TABLE = Rule(_WHOLE, 1), Rule(_WHOLE, _MAX_TABLE)
_FEW, _SOME, _MANY = Rule(_NUMBERS, 8), Rule(_NUMBERS, 256), Rule(_NUMBERS | {7}, 1 << 20)
_TEXT, _WORDS = Rule(_TEXTS, MAX_TEXT_BYTES), Rule(_TEXTS, 256)
_FOUR_BYTES = Rule(frozenset({1, 2, 7}), 4)

ORIENTATION, COPYRIGHT = 0x0112, 0x8298
SUB_IFDS, EXIF_IFD, INTEROP_IFD, GPS_IFD = 0x014A, 0x8769, 0xA005, 0x8825
XMP, IPTC, RESOURCES, ICC_PROFILE = 0x02BC, 0x83BB, 0x8649, 0x8773
DNG_VERSION, CONTENT_CREDENTIALS = 0xC612, 0xCD41

_DISPLAYED: Rules = {
    ORIENTATION: Rule(_WHOLE, 64),  # readers take the first number
    0x011A: Rule(frozenset({5}), 1),  # XResolution
    0x011B: Rule(frozenset({5}), 1),  # YResolution
    0x0128: _ONE,  # ResolutionUnit
    0x012D: Rule(_WHOLE, 3 * 65536),  # TransferFunction
    0x013E: _FEW,  # WhitePoint
    0x013F: _FEW,  # PrimaryChromaticities
    0x0211: _FEW,  # YCbCrCoefficients
    0x0212: _FEW,  # YCbCrSubSampling
    0x0213: _ONE,  # YCbCrPositioning
    0x0214: Rule(_NUMBERS, 64),  # ReferenceBlackWhite
    COPYRIGHT: Rule(_TEXTS | {7}, MAX_TEXT_BYTES),  # some writers call the notice bytes
}
"""How any image is shown, and the notice that laws protect."""

_TAKEN: Rules = dict.fromkeys((0x010F, 0x0110, 0x0132, 0x013B), _WORDS)
"""Credits: Make, Model, DateTime, Artist."""

_EXIF: Rules = {
    0x9000: _FOUR_BYTES,  # ExifVersion
    0x9101: _FOUR_BYTES,  # ComponentsConfiguration
    0xA000: _FOUR_BYTES,  # FlashpixVersion
    0xA001: _ONE,  # ColorSpace
    0xA002: _ONE,  # PixelXDimension
    0xA003: _ONE,  # PixelYDimension
    0xA500: _FEW,  # Gamma
}
"""Those that the standard demands of every block, and how numbers become light."""
_EXIF_TAKEN: Rules = {
    **dict.fromkeys((0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292), _WORDS),  # dates, their zones
    **dict.fromkeys((0xA433, 0xA434, 0xA437, 0xA438), _WORDS),  # LensMake, LensModel, Photographer, ImageEditor
    **dict.fromkeys((0x829A, 0x829D, 0x8822, 0x8827), _FEW),  # exposure, aperture, program, sensitivity
    **dict.fromkeys(range(0x8830, 0x8836), _FEW),  # kinds of sensitivity
    **dict.fromkeys((*range(0x9201, 0x9206), *range(0x9207, 0x920B)), _FEW),  # shutter to focal length, no distance
    **dict.fromkeys((0xA20E, 0xA20F, 0xA210, 0xA215, 0xA217), _FEW),  # focal plane, exposure index, sensor
    **dict.fromkeys(range(0xA401, 0xA40B), _FEW),  # rendering, exposure mode, white balance, zoom, contrast
    0xA432: _FEW,  # LensSpecification
}
_INTEROP: Rules = {0x0001: _FOUR_BYTES}  # R03: Adobe RGB

_LAYOUT: Rules = {
    **dict.fromkeys((254, 255, 259, 262, 263, 264, 265, 266, 274, 277, 278, 284), _ONE),
    **dict.fromkeys((256, 257, 322, 323), _ONE),
    **dict.fromkeys((273, 279, 324, 325), _TABLE),  # where strips and tiles are
    **dict.fromkeys((258, 280, 281, 338, 339, 340, 341), Rule(_NUMBERS, 4096)),  # of each sample
    **dict.fromkeys((290, 296, 317, 332, 334), _ONE),
    **dict.fromkeys((291, 320), Rule(_WHOLE, 3 * 65536)),  # GrayResponseCurve, ColorMap
    **dict.fromkeys((292, 293, 326, 327, 328), _ONE),  # fax
    **dict.fromkeys((297, 321, 336, 342), _SOME),  # PageNumber, HalftoneHints, DotRange, TransferRange
    347: Rule(_BYTES, 1 << 20),  # JPEGTables
    **dict.fromkeys((512, 513, 514, 515), _ONE),  # JPEG of the old kind
    **dict.fromkeys((517, 518, 519, 520, 521), _SOME),
    530: _FEW,
    **dict.fromkeys((32995, 32996, 32997, 32998), _SOME),
    37439: _FEW,  # StoNits
    50674: _SOME,  # LercParameters
}
PIXELS = frozenset({256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339, 347})
"""Those without which there is no image, or another one."""
_RAW: Rules = {
    **dict.fromkeys((33421, 50706, 50707, 50710, 50711), Rule(_NUMBERS | {7}, 64)),
    33422: Rule(_BYTES, 64),
    **dict.fromkeys((*range(50712, 50735), 50737, 50738, 50778, 50779, 50780, 50829, 50830, 50879), _MANY),
    **dict.fromkeys((50937, 50938, 50939, 50940, 50964, 50965, 50981, 50982), _MANY),
    **dict.fromkeys((51008, 51009, 51010, 51041, 51107, 51108, 51109, 51110, 51125), _MANY),
}
"""DNG: how the samples of a sensor become colours."""
_RAW_TAKEN: Rules = {50708: _WORDS}  # UniqueCameraModel

_POINTERS: Rules = {EXIF_IFD: _ONE, SUB_IFDS: Rule(_WHOLE, 64)}
_EMBEDDED: Rules = dict.fromkeys((XMP, IPTC, RESOURCES, ICC_PROFILE), Rule(frozenset({1, 4, 6, 7}), 64 * 1024 * 1024))


@dataclass(frozen=True, slots=True)
class Allowed:
    """By directory: an image's own in a TIFF file and in a DNG; the first, EXIF's and interoperability's of EXIF."""

    image: Rules
    raw: Rules
    main: Rules
    exif: Rules
    interop: Rules


def allowed(keep: KeepMetadata) -> Allowed:
    """What may stay under NOTHING or CREDITS."""
    return _CREDITS if keep is KeepMetadata.CREDITS else _NOTHING


_FILE = _DISPLAYED | {ORIENTATION: _ONE} | _LAYOUT | _POINTERS | _EMBEDDED
_NOTHING = Allowed(_FILE, _FILE | _RAW, _DISPLAYED, _EXIF, _INTEROP)
_CREDITS = Allowed(
    _FILE | _TAKEN,
    _FILE | _TAKEN | _RAW | _RAW_TAKEN,
    _DISPLAYED | _TAKEN,
    _EXIF | _EXIF_TAKEN,
    _INTEROP,
)

IPTC_ALWAYS = frozenset({(1, 90), (2, 0), (2, 110), (2, 116)})
"""Record and dataset: character set, version, credit line, copyright notice."""
IPTC_CREDITS = IPTC_ALWAYS | {(2, 55), (2, 60), (2, 62), (2, 63), (2, 80), (2, 115)}
"""Those, and dates, by-line and source."""
