"""One value: from what a person wrote (text, or a TOML value) to what the code works with."""

import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from appliance.config.model import About
from appliance.config.options import Option
from appliance.domain.renditions import Format, Preset

MAX_INT = 2**63 - 1
SIZE_EXAMPLES = 'a size such as 500000, "50 GB" or "20 GiB"'
PRESET_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
RESERVED_NAMES = ("original", "manage", "placeholder")  # what a share link's last part, or a rendition, may be else

_SIZE = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,9})?)\s*(|B|[KMGTP]B|[KMGTP]IB)", re.IGNORECASE)
_POWERS = "_KMGTP"
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Unfit(Exception):
    """A value that is not what the option takes; its text says what is expected."""


def read_value(option: Option, raw: object) -> object:
    """The option's value from text or from a TOML value. Raises Unfit, with what is expected."""
    return _READERS[option.kind](raw, option.key, option.about)


def _text(raw: object, _key: str, about: About) -> str:
    if not isinstance(raw, str) or not raw.strip() or not raw.isprintable():
        raise Unfit(_one_of(about.choices) if about.choices else "text on one line")
    text = raw.strip()
    if about.choices and text not in about.choices:
        raise Unfit(_one_of(about.choices))
    return text


def _optional_text(raw: object, key: str, about: About) -> str | None:
    return None if isinstance(raw, str) and not raw.strip() else _text(raw, key, about)


def _path(raw: object, _key: str, _about: About) -> Path:
    if not isinstance(raw, str) or not raw or not raw.isprintable():
        raise Unfit("the path of a directory")
    return Path(raw)


def _optional_path(raw: object, key: str, about: About) -> Path | None:
    if raw == "":
        return None
    if not isinstance(raw, str) or not raw.isprintable():
        raise Unfit("the path of a file")
    return Path(raw)


def _switch(raw: object, _key: str, _about: About) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if word not in _TRUE + _FALSE:
        raise Unfit("true or false")
    return word in _TRUE


def _whole(raw: object, key: str, about: About) -> int:
    is_size = key.endswith("_bytes")
    most = MAX_INT if about.most is None else int(about.most)
    expected = (SIZE_EXAMPLES if is_size else "a whole number") + _range(about)
    number = _size(raw, expected) if is_size and isinstance(raw, str) else _integer(raw, expected)
    if not (about.least is None or number >= about.least) or number > most:
        raise Unfit(expected)
    return number


def _integer(raw: object, expected: str) -> int:
    if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,19}", raw.strip()):
        return int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise Unfit(expected)
    return raw


def _size(raw: str, expected: str) -> int:
    match = _SIZE.fullmatch(raw.strip())
    if match is None:
        raise Unfit(expected)
    figure, unit = match[1], match[2].upper()
    if not unit or unit == "B":
        return _integer(figure, expected)
    base = 1024 if "I" in unit else 1000
    return int(Decimal(figure) * base ** _POWERS.index(unit[0]))


def _number(raw: object, _key: str, about: About) -> float:
    expected = f"a number{_range(about)}"
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise Unfit(expected)
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        raise Unfit(expected) from None
    least, most = about.least, about.most
    if not math.isfinite(number) or (least is not None and number < least) or (most is not None and number > most):
        raise Unfit(expected)
    return number


def _texts(raw: object, key: str, about: About) -> tuple[str, ...]:
    texts = tuple(_text(item, key, about) for item in _listed(raw, "a list of strings"))
    if len(set(texts)) < len(texts):
        raise Unfit("a list that names each thing once")
    return texts


def _formats(raw: object, key: str, about: About) -> tuple[Format, ...]:
    return tuple(Format(text) for text in _texts(raw, key, about))


def _presets(raw: object, _key: str, about: About) -> tuple[Preset, ...]:
    expected = "names with a box in pixels, such as thumbnail = 256 (in the environment thumbnail:256,small:512)"
    if isinstance(raw, dict):
        pairs = list(raw.items())
    else:
        split = [str(item).rpartition(":") for item in _listed(raw, expected)]
        if not all(colon for _, colon, _ in split):
            raise Unfit(expected)
        pairs = [(name.strip(), box) for name, _, box in split]
    presets = tuple(_preset(name, box, about) for name, box in pairs)
    if not presets or len({preset.name for preset in presets}) < len(presets):
        raise Unfit(f"{expected}; each name once, and at least one")
    return presets


def _preset(name: object, box: object, about: About) -> Preset:
    if not isinstance(name, str) or not PRESET_NAME.fullmatch(name) or name in RESERVED_NAMES:
        raise Unfit(
            f"preset names of a-z, 0-9, - and _, from a letter on, 32 at most, and not {_one_of(RESERVED_NAMES)}"
        )
    try:
        return Preset(name, _whole(box, "", about))
    except Unfit:
        raise Unfit(f"for the preset {name} a box in pixels{_range(about)}") from None


def _listed(raw: object, expected: str) -> Iterable[object]:
    if isinstance(raw, str):
        return [item.strip() for item in raw.split(",")] if raw.strip() else []
    if not isinstance(raw, (list, tuple)):
        raise Unfit(expected)
    return raw


def _range(about: About) -> str:
    if about.least is not None and about.most is not None:
        return f" from {_figure(about.least)} to {_figure(about.most)}"
    return "" if about.least is None else f", {_figure(about.least)} at least"


def _figure(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _one_of(choices: Iterable[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last


_READERS: dict[Any, Callable[[object, str, About], object]] = {
    str: _text,
    str | None: _optional_text,
    Path: _path,
    Path | None: _optional_path,
    bool: _switch,
    int: _whole,
    float: _number,
    tuple[str, ...]: _texts,
    tuple[Format, ...]: _formats,
    tuple[Preset, ...]: _presets,
}
