"""Formatting for people: bytes, pixels, times in UTC, durations, and names of formats."""

from datetime import UTC, datetime, timedelta

from babel.dates import format_date, format_timedelta
from babel.numbers import get_decimal_symbol
from babel.units import format_unit

from appliance.domain.byte_sizes import scale_size
from appliance.domain.formats import BY_MEDIA_TYPE
from appliance.domain.limit_texts import round_wait
from appliance.http.localization.languages import ENGLISH, Language

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
MONTH_S, YEAR_S = DAY_S * 365 / 12, DAY_S * 365
_SCALES = ((YEAR_S, "year"), (MONTH_S, "month"), (DAY_S, "day"), (HOUR_S, "hour"))
_CLDR_S = {"year": YEAR_S, "month": 30 * DAY_S, "day": DAY_S, "hour": HOUR_S, "minute": MINUTE_S, "second": 1}
_EXACTLY = 10**9  # keeps format_timedelta from choosing another unit than ours


def rfc3339(unix_s: float) -> str:
    """`2026-11-23T16:02:08Z`, whole seconds."""
    return datetime.fromtimestamp(int(unix_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pixels(width: int, height: int) -> str:
    """`2725 × 2225`."""
    return f"{width} × {height}"


def format_name(media_type: str) -> str:
    """`JPEG` for image/jpeg: the format's name as its authors write it."""
    if (known := BY_MEDIA_TYPE.get(media_type)) is not None:
        return known.name
    return media_type.partition("/")[2].upper() or media_type


class Formatter:
    """Formats values in one language. Templates get one; the static methods are the same in every language."""

    rfc3339 = staticmethod(rfc3339)
    pixels = staticmethod(pixels)
    format_name = staticmethod(format_name)

    def __init__(self, language: Language) -> None:
        self._language = language
        self._locale = language.locale
        self._point = get_decimal_symbol(language.locale)

    def date(self, unix_s: float) -> str:
        """`23 November 2027`."""
        return format_date(datetime.fromtimestamp(unix_s, UTC), "long", self._locale)

    def moment(self, unix_s: float) -> str:
        """`23 November 2027, 16:02 UTC`."""
        return f"{self.date(unix_s)}, {datetime.fromtimestamp(unix_s, UTC):%H:%M} UTC"

    def size(self, count: int) -> str:
        """Decimal units with two or three figures: `1 byte`, `829 KB`, `1.2 MB`, `5 TB`."""
        if count < 1000:
            return self._language.ngettext("%(count)s byte", "%(count)s bytes", count) % {"count": count}
        figures, unit = scale_size(count)
        return f"{figures.replace('.', self._point)} {unit}"

    def days(self, days: int) -> str:
        """`1 day`, `30 days`, `12 months`; `1 year` for 365."""
        if days == 365:
            return self._counted(1, "year")
        return self._counted(1, "day") if days == 1 else self.duration(days * DAY_S)

    def hours(self, hours: int) -> str:
        """`1 hour`, `2 hours`."""
        return self._counted(hours, "hour")

    def weeks(self, weeks: int) -> str:
        """`1 week`, `2 weeks`."""
        return self._counted(weeks, "week")

    def duration(self, seconds: float) -> str:
        """A duration in the largest unit that fits at least twice: `12 months`, `30 days`, `60 minutes`."""
        count, unit = _rounded(seconds)
        return self._counted(count, unit) if count else self._language.gettext("less than a minute")

    def expiry(self, expires_s: float, now_s: float) -> str:
        """`23 November 2027 (in 12 months)`; with the time of day if it is less than two days away."""
        gettext, date = self._language.gettext, self.date(expires_s)
        left_s = expires_s - now_s
        if left_s <= 0:
            return date
        span = self._from_now(left_s)
        if left_s < 2 * DAY_S:
            time = f"{datetime.fromtimestamp(expires_s, UTC):%H:%M}"
            return gettext("%(date)s, %(time)s UTC (%(in_span)s)") % {"in_span": span, "date": date, "time": time}
        return gettext("%(date)s (%(in_span)s)") % {"in_span": span, "date": date}

    def time_left(self, expires_s: float, now_s: float) -> str | None:
        """`in 5 hours`, where `expiry` gives the time of day; None where the date is enough."""
        left_s = expires_s - now_s
        return self._from_now(left_s) if 0 < left_s < 2 * DAY_S else None

    def any_of(self, names: tuple[str, ...]) -> str:
        """`JPEG, PNG or GIF`."""
        *others, last = names
        if not others:
            return last
        return self._language.gettext("%(others)s or %(last)s") % {"others": ", ".join(others), "last": last}

    def wait(self, seconds: int) -> str:
        """`in 42 seconds`, `in 5 minutes`, `in 3 hours`: never less than there is to wait."""
        count, unit = round_wait(seconds)
        return self._in_span(count, unit)

    def _counted(self, count: int, unit: str) -> str:
        return format_unit(count, f"duration-{unit}", "long", locale=self._locale)

    def _from_now(self, seconds: float) -> str:
        """`in 12 months`: many languages inflect the unit here."""
        count, unit = _rounded(seconds)
        if not count:
            return self._language.gettext("in less than a minute")
        return self._in_span(count, unit)

    def _in_span(self, count: int, unit: str) -> str:
        span = timedelta(seconds=count * _CLDR_S[unit])
        return format_timedelta(span, unit, _EXACTLY, add_direction=True, locale=self._locale)  # type: ignore[arg-type]


def _rounded(seconds: float) -> tuple[int, str]:
    """The count and the unit; (0, "minute") for less than one."""
    for unit_s, unit in _SCALES:
        # just under two units counts as two: a page rendered a moment after the upload shows 2 days, not 48 hours
        if seconds >= 1.99 * unit_s:
            return round(seconds / unit_s), unit
    return round(seconds / MINUTE_S), "minute"


ENGLISH_FORMATTER = Formatter(ENGLISH)
"""For responses to programs."""
