"""Figures put in words: bytes, pixels, times, formats. English, UTC."""

from datetime import UTC, datetime

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
MONTH_S, YEAR_S = DAY_S * 365 / 12, DAY_S * 365
_SCALES = ((YEAR_S, "year"), (MONTH_S, "month"), (DAY_S, "day"), (HOUR_S, "hour"))
_BYTE_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")
_FORMATS = {"image/heif": "HEIF"}
FORMATS_TAKEN = ("JPEG", "PNG", "GIF", "WebP", "TIFF", "AVIF", "HEIC")
"""The formats an upload may have, as a person knows them."""


def rfc3339(unix_s: float) -> str:
    """`2026-11-23T16:02:08Z`, whole seconds."""
    return datetime.fromtimestamp(int(unix_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def date(unix_s: float) -> str:
    """`23 November 2027`."""
    day = datetime.fromtimestamp(unix_s, UTC)
    return f"{day.day} {day:%B %Y}"


def size(count: int) -> str:
    """Decimal units with two or three figures: `1 byte`, `829 KB`, `1.2 MB`, `5 TB`."""
    if count < 1000:
        return "1 byte" if count == 1 else f"{count} bytes"
    value, unit = float(count), 0
    # 999.5 and more would be printed as 1000
    while value >= 999.5 and unit < len(_BYTE_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    figures = f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")
    return f"{figures} {_BYTE_UNITS[unit]}"


def pixels(width: int, height: int) -> str:
    """`2725 × 2225`."""
    return f"{width} × {height}"


def counted(number: int, noun: str) -> str:
    """`1 day`, `2 days`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """The span in the largest unit that it holds twice: `12 months`, `30 days`, `60 minutes`."""
    for unit_s, noun in _SCALES:
        # a page drawn a moment after the upload must not turn 48 hours into 2 days less a second
        if seconds >= 1.99 * unit_s:
            return counted(round(seconds / unit_s), noun)
    minutes = round(seconds / MINUTE_S)
    return counted(minutes, "minute") if minutes >= 1 else "less than a minute"


def expiry(expires_s: float, now_s: float) -> str:
    """`in 12 months, on 23 November 2027`; with the time of day when it is less than two days off."""
    left_s = expires_s - now_s
    if left_s <= 0:
        return f"on {date(expires_s)}"
    if left_s < 2 * DAY_S:
        return f"in {duration(left_s)}, on {date(expires_s)} at {datetime.fromtimestamp(expires_s, UTC):%H:%M} UTC"
    return f"in {duration(left_s)}, on {date(expires_s)}"


def format_name(media_type: str) -> str:
    """`JPEG` for image/jpeg, as the formats are written by those who made them."""
    if media_type in _FORMATS:
        return _FORMATS[media_type]
    subtype = media_type.partition("/")[2].upper()
    return next((name for name in FORMATS_TAKEN if name.upper() == subtype), subtype or media_type)
