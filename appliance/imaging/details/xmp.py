"""What XMP says: the same as EXIF, in a packet that editing programs write."""

from appliance.domain.model import KeepMetadata
from appliance.imaging.details.exif import Found, model_of
from appliance.imaging.metadata.properties import named, rules
from appliance.imaging.metadata.rdf import List, Packet, Properties, Value
from appliance.imaging.metadata.xmp import decoded

_MAX_ITEMS = 16
_MAX_CHARS = 4096
_DEFAULT = "x-default"
_TEXTS = {
    "taken": ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate"),
    "author": ("dc:creator", "tiff:Artist"),
    "copyright": ("dc:rights", "tiff:Copyright"),
    "caption": ("dc:description",),
}
_NUMBERS = {
    "focal_length_mm": ("exif:FocalLength",),
    "focal_length_35mm": ("exif:FocalLengthIn35mmFilm",),
    "aperture": ("exif:FNumber",),
    "exposure_s": ("exif:ExposureTime",),
    "iso": ("exifEX:PhotographicSensitivity", "exif:ISOSpeedRatings"),
}


def told_by_xmp(packet: bytes, keep: KeepMetadata) -> Found:
    """What a packet says, as far as `keep` allows it. Raises Unclear."""
    if not packet:
        return {}
    told = Packet(decoded(packet)).properties
    if keep is not KeepMetadata.ALL:
        told = {name: value for name, value in told.items() if name in rules(keep)}
    said: dict[str, object | None] = {
        "camera": model_of(_first(told, ("tiff:Make",)), _first(told, ("tiff:Model",))),
        "lens": _first(told, ("exifEX:LensModel", "aux:Lens")),
        **{name: _first(told, names) for name, names in _TEXTS.items()},
        **{name: _number(_first(told, names)) for name, names in _NUMBERS.items()},
    }
    return {name: value for name, value in said.items() if value is not None}


def _first(told: Properties, names: tuple[str, ...]) -> str | None:
    found = (_text(told[name]) for name in map(named, names) if name in told)
    return next((text for text in found if text), None)


def _text(value: Value) -> str | None:
    """A text in the language that stands for all, or several texts as a list."""
    if isinstance(value, str):
        return value[:_MAX_CHARS].strip()
    if not isinstance(value, List):
        return None
    texts = [(language, text[:_MAX_CHARS]) for language, text in value.items[:_MAX_ITEMS] if isinstance(text, str)]
    if value.kind == "Alt":
        return dict(reversed(texts)).get(_DEFAULT, texts[0][1]) if texts else None
    return ", ".join(text for _, text in texts)


def _number(text: str | None) -> float | None:
    """`28/10` or `2.8`."""
    above, _, below = (text or "").partition("/")
    try:
        return float(above) / float(below or 1)
    except (ValueError, ArithmeticError):
        return None
