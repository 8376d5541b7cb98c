"""The XMP properties that may stay; everything that isn't named here goes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.domain.model import KeepMetadata

Name = tuple[str, str]
"""Namespace and local name."""

PREFIXES = {
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://creativecommons.org/ns#": "cc",
    "http://ns.google.com/photos/1.0/container/": "Container",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.google.com/photos/1.0/panorama/": "GPano",
    "http://ns.apple.com/HDRGainMap/1.0/": "HDRGainMap",
    "http://ns.adobe.com/hdr-gain-map/1.0/": "hdrgm",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://ns.google.com/photos/1.0/container/item/": "Item",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.apple.com/pixeldatainfo/1.0/": "apdi",
    "http://ns.useplus.org/ldf/xmp/1.0/": "plus",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
}
_NAMESPACES = {prefix: namespace for namespace, prefix in PREFIXES.items()}


@dataclass(frozen=True, slots=True)
class Text:
    """A value that is text of this form."""

    form: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class StructRule:
    """A value that has fields. One without the `needed` ones goes, and so does a list of fewer than `at_least`."""

    rules: "Rules"
    needed: frozenset[Name] = field(default_factory=frozenset)
    at_least: int = 1


Rule = Text | StructRule
Rules = Mapping[Name, Rule]


def rules(keep: KeepMetadata) -> Rules:
    """What may stay under NOTHING or CREDITS."""
    return _CREDITS if keep is KeepMetadata.CREDITS else _ALWAYS


def named(qualified: str) -> Name:
    """The name that `dc:rights` stands for, with one of the prefixes above."""
    prefix, _, local = qualified.partition(":")
    return _NAMESPACES[prefix], local


def _all(rule: Rule, prefix: str, names: str) -> dict[Name, Rule]:
    return {(_NAMESPACES[prefix], name): rule for name in names.split()}


_WORDS = Text(re.compile(r"[\w.,:/+ -]{1,64}", re.ASCII))
_LINE = Text(re.compile(r"[^\0-\x1f]{1,256}"))
_LONG = Text(re.compile(r".{1,16384}", re.DOTALL))
_MEDIA_TYPE = Text(re.compile(r"image/[\w.+-]{1,40}", re.ASCII))

_ITEM = StructRule(
    {named("Item:Mime"): _MEDIA_TYPE} | _all(_WORDS, "Item", "Semantic Length Padding"), frozenset({named("Item:Mime")})
)
_DIRECTORY = StructRule({named("Container:Item"): _ITEM}, frozenset({named("Container:Item")}), at_least=2)

_ALWAYS: dict[Name, Rule] = {
    **_all(_LONG, "dc", "rights"),
    **_all(_LONG, "dcterms", "rights license"),
    **_all(_LONG, "xmpRights", "Marked WebStatement UsageTerms Owner"),
    **_all(_LONG, "cc", "license attributionName attributionURL"),
    **_all(_LONG, "photoshop", "Credit"),
    **_all(_LONG, "tiff", "Copyright"),
    **_all(_LINE, "plus", "DataMining"),
    **_all(StructRule(_all(_LONG, "plus", "LicensorURL")), "plus", "Licensor"),
    **_all(_LINE, "Iptc4xmpExt", "DigitalSourceType DigitalSourcefileType DigitalSourceFileType"),
    **_all(_WORDS, "tiff", "Orientation"),
    **_all(_WORDS, "exif", "ColorSpace"),
    **_all(
        _WORDS,
        "hdrgm",
        "Version BaseRenditionIsHDR GainMapMin GainMapMax Gamma OffsetSDR OffsetHDR HDRCapacityMin HDRCapacityMax",
    ),
    **_all(_DIRECTORY, "Container", "Directory"),
    **_all(_WORDS, "HDRGainMap", "HDRGainMapVersion HDRGainMapHeadroom"),
    **_all(_LINE, "apdi", "AuxiliaryImageType NativeFormat StoredFormat"),
    **_all(
        _WORDS,
        "GPano",
        "ProjectionType UsePanoramaViewer CroppedAreaImageWidthPixels CroppedAreaImageHeightPixels FullPanoWidthPixels"
        " FullPanoHeightPixels CroppedAreaLeftPixels CroppedAreaTopPixels PosePitchDegrees PoseRollDegrees",
    ),
}
"""What laws protect, and how the image is shown. A panorama keeps its projection, not where it looked to."""

_CREDITS: dict[Name, Rule] = {
    **_ALWAYS,
    **_all(_LINE, "dc", "creator contributor date"),
    **_all(_LINE, "xmp", "CreateDate ModifyDate"),
    **_all(_LINE, "photoshop", "DateCreated Source"),
    **_all(_LINE, "tiff", "Make Model Artist DateTime"),
    **_all(
        _LINE,
        "exif",
        "DateTimeOriginal DateTimeDigitized ExposureTime FNumber ExposureProgram ISOSpeedRatings ShutterSpeedValue"
        " ApertureValue BrightnessValue ExposureBiasValue MaxApertureValue MeteringMode LightSource FocalLength"
        " FocalLengthIn35mmFilm ExposureMode WhiteBalance DigitalZoomRatio SceneCaptureType Contrast Saturation"
        " Sharpness",
    ),
    **_all(_LINE, "exifEX", "LensMake LensModel LensSpecification PhotographicSensitivity SensitivityType"),
    **_all(_LINE, "aux", "Lens LensInfo"),
    **_all(StructRule(_all(_LINE, "plus", "ImageCreatorName")), "plus", "ImageCreator"),
    **_all(StructRule(_all(_LINE, "plus", "CopyrightOwnerName")), "plus", "CopyrightOwner"),
}
"""That, and dates, the camera and the names of makers."""

NEEDED = frozenset(name for name, rule in _ALWAYS.items() if rule is _WORDS or rule is _DIRECTORY)
"""What an image needs to be shown right: the last to go where there is no room for all."""
