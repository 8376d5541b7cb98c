"""What EXIF says: the camera and its settings, date, author, copyright, caption, and the position."""

import codecs
import struct
from collections.abc import Iterator, Sequence

from appliance.domain.details import clean_time
from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Directory, Entry, Memory, Reader, Unclear
from appliance.imaging.metadata.tags import COPYRIGHT, EXIF_IFD, GPS_IFD, Rules, allowed

MAX_TEXT_BYTES = 4096
"""So much of a text is read."""
_MAKE, _MODEL, _CAPTION, _ARTIST = 0x010F, 0x0110, 0x010E, 0x013B
_LENS_MAKE, _LENS, _PHOTOGRAPHER = 0xA433, 0xA434, 0xA437
_FOCAL_LENGTH, _FOCAL_LENGTH_35MM, _APERTURE, _EXPOSURE = 0x920A, 0xA405, 0x829D, 0x829A
_SENSITIVITIES = (0x8827, 0x8833, 0x8832, 0x8831)
"""The first has 16 bits; cameras that go beyond those put the figure into one of the others."""
_UNSAID_SENSITIVITY = 65535
_DATES = ((0x9003, 0x9011), (0x9004, 0x9012))
"""When the image was taken, or else digitized; and the time zone of each."""
_LATITUDE, _LONGITUDE = (1, 2), (3, 4)
_TEXT_TYPES, _RATIONALS, _FLOATS = (1, 2, 7, 129), {5: "II", 10: "ii"}, {11: "f", 12: "d"}
_MAX_NUMBERS = 4

Found = dict[str, object]


def told_by_exif(memory: Memory, keep: KeepMetadata) -> Found:
    """What a TIFF file in memory says, as far as `keep` allows it. Raises Unclear."""
    reader = Reader.of(memory)
    if reader is None:
        return {}
    rules = allowed(keep)
    whole = keep is KeepMetadata.ALL
    first = reader.directory(reader.first)
    main = _Tags(reader, first, None if whole else rules.main)
    exif = _Tags(reader, _below(reader, first, EXIF_IFD), None if whole else rules.exif)
    gps = _Tags(reader, _below(reader, first, GPS_IFD) if whole else None, None)
    said = {
        "camera": model_of(main.text(_MAKE), main.text(_MODEL)),
        "lens": model_of(exif.text(_LENS_MAKE), exif.text(_LENS)),
        "focal_length_mm": exif.number(_FOCAL_LENGTH),
        "focal_length_35mm": exif.number(_FOCAL_LENGTH_35MM),
        "aperture": exif.number(_APERTURE),
        "exposure_s": exif.number(_EXPOSURE),
        "iso": _sensitivity(exif),
        "taken": _date(exif),
        "author": main.text(_ARTIST) or exif.text(_PHOTOGRAPHER),
        "copyright": main.text(COPYRIGHT),
        "caption": main.text(_CAPTION),
        "latitude": _degrees(gps, *_LATITUDE),
        "longitude": _degrees(gps, *_LONGITUDE),
    }
    return {name: value for name, value in said.items() if value is not None}


def model_of(make: str | None, model: str | None) -> str | None:
    """`Canon EOS R5`: most models, but not all, begin with their maker's name."""
    if not make or not model:
        return model or make
    word = make.split()[0] if make.split() else ""
    return model if model.casefold().startswith(word.casefold()) else f"{make} {model}"


def text_of(data: bytes) -> str | None:
    """UTF-8, which most programs write whatever the standard says, or else Latin-1; to the first zero."""
    data = data.partition(b"\0")[0]
    try:
        text = codecs.utf_8_decode(data, "strict", False)[0]  # the end may be cut within a letter
    except UnicodeDecodeError:
        text = codecs.latin_1_decode(data)[0]
    return text.strip() or None


def _below(reader: Reader, directory: Directory, tag: int) -> Directory | None:
    entry = directory.entry(tag)
    try:
        at = next(iter(reader.first_numbers(entry, 1)), 0) if entry else 0
        return reader.directory(at) if at else None
    except Unclear:
        return None


class _Tags:
    """The tags of a directory that may be told: all where there are no `rules`."""

    def __init__(self, reader: Reader, directory: Directory | None, rules: Rules | None) -> None:
        self._reader = reader
        entries = directory.entries if directory else ()
        told = [entry for entry in entries if rules is None or (entry.tag in rules and rules[entry.tag].allows(entry))]
        self._entries = {entry.tag: entry for entry in reversed(told)}

    def text(self, tag: int) -> str | None:
        entry = self._entries.get(tag)
        if entry is None or entry.type not in _TEXT_TYPES:
            return None
        return text_of(self._read(entry.at, min(entry.length, MAX_TEXT_BYTES)))

    def number(self, tag: int) -> float | None:
        return next(iter(self.numbers(tag)), None)

    def numbers(self, tag: int) -> Sequence[float]:
        """The first few; none where they aren't whole."""
        entry = self._entries.get(tag)
        if entry is None:
            return ()
        try:
            if entry.type in _RATIONALS:
                return [above / below for above, below in self._unpacked(entry, _RATIONALS[entry.type]) if below]
            if entry.type in _FLOATS:
                return [number for (number,) in self._unpacked(entry, _FLOATS[entry.type])]
            return self._reader.first_numbers(entry, _MAX_NUMBERS)
        except Unclear:
            return ()

    def _unpacked(self, entry: Entry, code: str) -> Iterator[tuple[float, ...]]:
        form = struct.Struct(self._reader.order + code)
        data = self._read(entry.at, form.size * min(entry.count, _MAX_NUMBERS))
        return form.iter_unpack(data[: len(data) // form.size * form.size])

    def _read(self, at: int, length: int) -> bytes:
        try:
            return self._reader.memory.read(at, length)
        except Unclear:
            return b""


def _sensitivity(exif: _Tags) -> float | None:
    found = (exif.number(tag) for tag in _SENSITIVITIES)
    return next((number for number in found if number and number != _UNSAID_SENSITIVITY), None)


def _date(exif: _Tags) -> str | None:
    for tag, zone in _DATES:
        date = exif.text(tag)
        if date and clean_time(date):
            zoned = date + (exif.text(zone) or "")
            return zoned if clean_time(zoned) else date
    return None


def _degrees(gps: _Tags, reference: int, tag: int) -> float | None:
    """Degrees, minutes and seconds as one number, below zero in the south and the west."""
    parts = gps.numbers(tag)
    if not 1 <= len(parts) <= _MAX_NUMBERS or min(parts) < 0:
        return None
    degrees = sum(part / 60.0**place for place, part in enumerate(parts[:3]))
    side = (gps.text(reference) or "").upper()
    return round(-degrees if side in ("S", "W") else degrees, 6)
