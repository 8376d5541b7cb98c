"""Colours: an operator's accent, fitted to both themes so that whatever is written in it or on it can be read.

Contrast is WCAG 2.2's, from relative luminance; AA asks for 4.5 between text and what it stands on.
"""

import re
from dataclasses import dataclass

AA = 4.5
LIGHT_GROUND = "#ece8df"
"""The darkest ground that text stands on in the light theme; `web/styles/parts/tokens.css` has none beyond it."""
DARK_GROUND = "#33301f"
"""The lightest one in the dark theme."""
_STEPS = 100
_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")

Rgb = tuple[int, int, int]
WHITE: Rgb = (255, 255, 255)
BLACK: Rgb = (0, 0, 0)
INK: Rgb = (16, 18, 20)


@dataclass(frozen=True, slots=True)
class Accent:
    """The accent in one theme: of links and buttons, a stronger one while they are pointed at, and the text on both."""

    plain: str
    strong: str
    text: str


def is_colour(text: str) -> bool:
    """Whether it is written as `#0c6b64` or `#066`."""
    return _HEX.fullmatch(text) is not None


def light(accent: str) -> Accent:
    """The accent in the light theme, made darker as far as it has to be."""
    return _fitted(accent, LIGHT_GROUND, towards=BLACK)


def dark(accent: str) -> Accent:
    """The accent in the dark theme, made lighter as far as it has to be."""
    return _fitted(accent, DARK_GROUND, towards=WHITE)


def style_sheet(accent: str) -> bytes:
    """The style sheet that puts the accent in the place of ours, in both themes."""
    day, night = f":root{{{_rules(light(accent))}}}", f":root{{{_rules(dark(accent))}}}"
    return f"{day}@media (prefers-color-scheme:dark){{{night}}}".encode()


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    lighter, darker = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _rules(accent: Accent) -> str:
    return f"--accent:{accent.plain};--accent-strong:{accent.strong};--on-accent:{accent.text}"


def _fitted(accent: str, ground: str, towards: Rgb) -> Accent:
    wanted = _rgb(accent)
    tries = (_hex(_mixed(wanted, towards, step / _STEPS)) for step in range(_STEPS + 1))
    plain = next(each for each in tries if contrast(each, ground) >= AA)
    text = max((_hex(WHITE), _hex(INK)), key=lambda each: contrast(each, plain))
    if contrast(text, plain) < AA:  # a middle tone, which only black may stand on
        text = _hex(BLACK)
    away = WHITE if text == _hex(BLACK) or text == _hex(INK) else BLACK
    return Accent(plain, _hex(_mixed(_rgb(plain), away, 0.25)), text)


def _mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(colour: Rgb) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _rgb(colour: str) -> Rgb:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
