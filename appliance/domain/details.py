"""The details of an original: what its metadata says of how, when and by whom the image was made."""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.domain.model import Image, KeepMetadata
from appliance.domain.upload_options import NEVER_IN_NAMES

MAX_TEXT_BYTES = 1024
"""Of one text, in UTF-8."""
_MAX_CHARS = 4 * MAX_TEXT_BYTES
"""Of a text before it is cleaned."""
_MAX_TIME_CHARS = 64
_MORE = "…"
_JOINERS = frozenset("\u200c\u200d")
"""The invisible characters without which some scripts, and emoji, are written wrong."""
_TEXTS = ("camera", "lens", "colour_profile", "author", "copyright", "caption")
_NUMBERS = {
    "focal_length_mm": (0.1, 100_000),
    "focal_length_35mm": (0.1, 100_000),
    "aperture": (0.1, 1000),
    "exposure_s": (1e-7, 1e6),
    "iso": (1, 1e8),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
}
"""The least and the largest that is believed of each."""
_TIME = re.compile(
    r"(\d{4})[:-](\d\d)[:-](\d\d)"
    r"(?:[ T](\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Details:
    """What an original says; None for what it doesn't.

    `aperture` is the f-number. `taken` is a date, or a date and time as the camera's clock showed them, with the
    distance from UTC where the camera recorded it: `2024-05-06T07:08:09+02:00`. Latitude and longitude are in degrees,
    both or none. `complete` is false if some of the file can't be read.
    """

    camera: str | None = None
    lens: str | None = None
    focal_length_mm: float | None = None
    focal_length_35mm: float | None = None
    aperture: float | None = None
    exposure_s: float | None = None
    iso: float | None = None
    taken: str | None = None
    colour_profile: str | None = None
    author: str | None = None
    copyright: str | None = None
    caption: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    complete: bool = True


def details_of(found: Mapping[str, object], *, complete: bool) -> Details:
    """The details among what was found, by their names: texts cleaned, and nothing that can't be.

    Doing it again changes nothing.
    """
    details: dict[str, Any] = {name: clean_text(text) for name in _TEXTS if isinstance(text := found.get(name), str)}
    details |= {name: _number(found.get(name), *limits) for name, limits in _NUMBERS.items()}
    if None in (details["latitude"], details["longitude"]):
        details |= {"latitude": None, "longitude": None}
    taken = found.get("taken")
    return Details(**details, taken=clean_time(taken) if isinstance(taken, str) else None, complete=complete)


def permitted(image: Image) -> KeepMetadata:
    """How much of the metadata is shown: what its uploader asked to keep, even if more is left in the file.

    Without a choice on record, it is never the position.
    """
    return image.keep_metadata or KeepMetadata.CREDITS


def clean_text(text: str) -> str | None:
    """On one line, without control characters and other invisible ones, such as those that turn its direction.

    None for what is empty then.
    """
    kept = (" " if char.isspace() else char for char in text[:_MAX_CHARS] if char.isspace() or _is_shown(char))
    line = " ".join("".join(kept).split())
    encoded = line.encode()
    if not line or (len(encoded) <= MAX_TEXT_BYTES and len(text) <= _MAX_CHARS):
        return line or None
    return encoded[: MAX_TEXT_BYTES - len(_MORE.encode())].decode(errors="ignore").rstrip(" " + _MORE) + _MORE


def clean_time(text: str) -> str | None:
    """A date and time of EXIF, XMP or IPTC in the form of RFC 3339; None for what is none."""
    match = _TIME.fullmatch(text.strip()) if len(text) <= _MAX_TIME_CHARS else None
    if match is None:
        return None
    year, month, day, time, zone = match.groups()
    try:
        taken = datetime.fromisoformat(f"{year}-{month}-{day}T{time or '00:00'}{zone or ''}")
    except ValueError:
        return None
    return taken.date().isoformat() if time is None else taken.isoformat()


def _is_shown(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) not in (*NEVER_IN_NAMES, "Cf")


def _number(number: object, least: float, largest: float) -> float | None:
    if not isinstance(number, int | float) or isinstance(number, bool) or not math.isfinite(number):
        return None
    return number if least <= number <= largest else None
