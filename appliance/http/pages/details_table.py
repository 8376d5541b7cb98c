"""The details of an original as people read them: names, numbers and units in their language."""

from collections.abc import Iterator
from datetime import datetime

from babel.dates import format_date
from babel.numbers import format_decimal
from babel.units import format_unit

from appliance.domain.details import Details
from appliance.http.localization.languages import Language

_WHOLE_FRACTION_S = 0.3
"""Below this cameras show an exposure time as a fraction of a second."""
_DATE_CHARS = len("2024-05-06")


def details_table(details: Details, language: Language) -> list[tuple[str, str]]:
    """A label and a value for each thing that the original says, the camera first."""
    return list(_Table(details, language).rows())


class _Table:
    def __init__(self, details: Details, language: Language) -> None:
        self._details = details
        self._language = language

    def rows(self) -> Iterator[tuple[str, str]]:
        details, _ = self._details, self._language.gettext
        values = (
            (_("Camera"), details.camera),
            (_("Lens"), details.lens),
            (_("Focal length"), self._focal_length()),
            (_("Aperture"), None if details.aperture is None else f"f/{self._decimal(details.aperture)}"),
            (_("Exposure time"), self._exposure_time()),
            (_("ISO speed"), None if details.iso is None else self._decimal(details.iso)),
            (_("Date taken"), self._taken()),
            (_("Location"), self._position()),
            (_("Author"), details.author),
            (_("Copyright"), details.copyright),
            (_("Caption"), details.caption),
            (_("Colour profile"), details.colour_profile),
        )
        return ((label, value) for label, value in values if value is not None)

    def _focal_length(self) -> str | None:
        own, full_frame = self._details.focal_length_mm, self._details.focal_length_35mm
        if own is None or full_frame is None or own == full_frame:
            return self._millimetres(own or full_frame)
        lengths = {"length": self._millimetres(own), "full_frame": self._millimetres(full_frame)}
        return self._language.gettext("%(length)s (%(full_frame)s equivalent)") % lengths

    def _millimetres(self, length: float | None) -> str | None:
        if length is None:
            return None
        return format_unit(round(length, 1), "length-millimeter", "short", locale=self._language.locale)

    def _exposure_time(self) -> str | None:
        seconds = self._details.exposure_s
        if seconds is None:
            return None
        number = self._decimal(seconds) if seconds >= _WHOLE_FRACTION_S else f"1/{self._decimal(round(1 / seconds))}"
        return self._language.gettext("%(number)s s") % {"number": number}

    def _taken(self) -> str | None:
        taken = self._details.taken
        if taken is None:
            return None
        time = datetime.fromisoformat(taken)
        date = format_date(time, "long", self._language.locale)
        if len(taken) == _DATE_CHARS:
            return date
        values = {"date": date, "time": f"{time:%H:%M}", "zone": time.tzname()}
        if time.tzinfo is None:
            return self._language.gettext("%(date)s, %(time)s") % values
        return self._language.gettext("%(date)s, %(time)s (%(zone)s)") % values

    def _position(self) -> str | None:
        latitude, longitude = self._details.latitude, self._details.longitude
        if latitude is None or longitude is None:
            return None
        _ = self._language.gettext
        north = _("%(degrees)s° N") if latitude >= 0 else _("%(degrees)s° S")
        east = _("%(degrees)s° E") if longitude >= 0 else _("%(degrees)s° W")
        both = {"latitude": north % self._degrees(latitude), "longitude": east % self._degrees(longitude)}
        return _("%(latitude)s, %(longitude)s") % both

    def _degrees(self, degrees: float) -> dict[str, str]:
        return {"degrees": self._decimal(abs(degrees), "0.00000")}

    def _decimal(self, number: float, form: str = "#,##0.##") -> str:
        return format_decimal(number, form, locale=self._language.locale)
