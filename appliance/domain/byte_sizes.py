"""Sizes in bytes as people read them: decimal units, two or three digits."""

UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


def scale_size(count: int) -> tuple[str, str]:
    """The number and the unit: `829` and `KB`, `1.2` and `MB`."""
    value, unit = float(count), 0
    # 999.5 and more would be printed as 1000
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    figures = f"{value:.0f}" if value >= 10 or unit == 0 else f"{value:.1f}".removesuffix(".0")
    return figures, UNITS[unit]


def format_size(count: int) -> str:
    """`1 byte`, `829 KB`, `1.2 MB`, `5 TB`."""
    return "1 byte" if count == 1 else " ".join(scale_size(count))
