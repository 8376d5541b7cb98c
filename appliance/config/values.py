"""Parses one value, from text or a TOML value to the type of its option."""

import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from appliance.config.model import OptionInfo
from appliance.config.options import Option
from appliance.domain.renditions import Format, Preset

MAX_INT = 2**63 - 1
SIZE_EXAMPLES = 'such as 500000, "50 GB" or "20 GiB"'
PRESET_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
RESERVED_NAMES = (
    "original",
    "manage",
    "details",
    "placeholder",
    "unlock",
    "view",
)  # they mean something else in links and in the cache

_SIZE = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,9})?)\s*(|B|[KMGTP]B|[KMGTP]IB)", re.IGNORECASE)
_POWERS = "_KMGTP"
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class InvalidValue(Exception):
    """A value that the option doesn't accept. The message says what is expected."""


def read_value(option: Option, raw: object) -> object:
    """The option's value, from text or a TOML value. Raises InvalidValue."""
    return _READERS[option.kind](raw, option.key, option.info)


def parse_size(text: str) -> int:
    """Bytes from text, as in options for sizes. Raises InvalidValue."""
    return _size(text, f"a size, {SIZE_EXAMPLES}")


def _text(raw: object, _key: str, info: OptionInfo) -> str:
    if not isinstance(raw, str) or not raw.strip() or not raw.isprintable():
        raise InvalidValue(_one_of(info.choices) if info.choices else "text on one line")
    text = raw.strip()
    if info.choices and text not in info.choices:
        raise InvalidValue(_one_of(info.choices))
    return text


def _optional_text(raw: object, key: str, info: OptionInfo) -> str | None:
    return None if isinstance(raw, str) and not raw.strip() else _text(raw, key, info)


def _path(raw: object, _key: str, _info: OptionInfo) -> Path:
    if not isinstance(raw, str) or not raw or not raw.isprintable():
        raise InvalidValue("a path")
    return Path(raw)


def _optional_path(raw: object, key: str, info: OptionInfo) -> Path | None:
    if raw == "":
        return None
    if not isinstance(raw, str) or not raw.isprintable():
        raise InvalidValue("a path")
    return Path(raw)


def _switch(raw: object, _key: str, _info: OptionInfo) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if word not in _TRUE + _FALSE:
        raise InvalidValue("true or false")
    return word in _TRUE


def _whole(raw: object, key: str, info: OptionInfo) -> int:
    is_size = key.endswith("_bytes")
    maximum = MAX_INT if info.maximum is None else int(info.maximum)
    expected = f"a size{_range(info)}, {SIZE_EXAMPLES}" if is_size else f"a whole number{_range(info)}"
    number = _size(raw, expected) if is_size and isinstance(raw, str) else _integer(raw, expected)
    if not (info.minimum is None or number >= info.minimum) or number > maximum:
        raise InvalidValue(expected)
    return number


def _optional_whole(raw: object, key: str, info: OptionInfo) -> int | None:
    return None if raw == "" else _whole(raw, key, info)


def _integer(raw: object, expected: str) -> int:
    if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,19}", raw.strip()):
        return int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise InvalidValue(expected)
    return raw


def _size(raw: str, expected: str) -> int:
    match = _SIZE.fullmatch(raw.strip())
    if match is None:
        raise InvalidValue(expected)
    figure, unit = match[1], match[2].upper()
    if not unit or unit == "B":
        return _integer(figure, expected)
    base = 1024 if "I" in unit else 1000
    return int(Decimal(figure) * base ** _POWERS.index(unit[0]))


def _number(raw: object, _key: str, info: OptionInfo) -> float:
    expected = f"a number{_range(info)}"
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise InvalidValue(expected)
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        raise InvalidValue(expected) from None
    minimum, maximum = info.minimum, info.maximum
    if not math.isfinite(number) or not (minimum is None or number >= minimum):
        raise InvalidValue(expected)
    if maximum is not None and number > maximum:
        raise InvalidValue(expected)
    return number


def _texts(raw: object, key: str, info: OptionInfo) -> tuple[str, ...]:
    texts = tuple(_text(item, key, info) for item in _listed(raw, "a list of strings"))
    if len(set(texts)) < len(texts):
        raise InvalidValue("a list without duplicates")
    return texts


def _formats(raw: object, key: str, info: OptionInfo) -> tuple[Format, ...]:
    return tuple(Format(text) for text in _texts(raw, key, info))


def _presets(raw: object, _key: str, info: OptionInfo) -> tuple[Preset, ...]:
    expected = "names and sizes in pixels, such as thumbnail = 256 (in the environment thumbnail:256,small:512)"
    if isinstance(raw, dict):
        pairs = list(raw.items())
    else:
        split = [str(item).rpartition(":") for item in _listed(raw, expected)]
        if not all(colon for _, colon, _ in split):
            raise InvalidValue(expected)
        pairs = [(name.strip(), box) for name, _, box in split]
    presets = tuple(_preset(name, box, info) for name, box in pairs)
    if not presets or len({preset.name for preset in presets}) < len(presets):
        raise InvalidValue(f"{expected}; at least one, and each name once")
    return presets


def _preset(name: object, box: object, info: OptionInfo) -> Preset:
    if not isinstance(name, str) or not PRESET_NAME.fullmatch(name) or name in RESERVED_NAMES:
        raise InvalidValue(
            f"preset names of up to 32 characters of a-z, 0-9, - and _ that start with a letter, and not"
            f" {_one_of(RESERVED_NAMES)}"
        )
    try:
        return Preset(name, _whole(box, "", info))
    except InvalidValue:
        raise InvalidValue(f"a size in pixels{_range(info)} for the preset {name}") from None


def _listed(raw: object, expected: str) -> Iterable[object]:
    if isinstance(raw, str):
        return [item.strip() for item in raw.split(",")] if raw.strip() else []
    if not isinstance(raw, (list, tuple)):
        raise InvalidValue(expected)
    return raw


def _range(info: OptionInfo) -> str:
    if info.minimum is not None and info.maximum is not None:
        return f" from {_figure(info.minimum)} to {_figure(info.maximum)}"
    return "" if info.minimum is None else f" of at least {_figure(info.minimum)}"


def _figure(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _one_of(choices: Iterable[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last


_READERS: dict[Any, Callable[[object, str, OptionInfo], object]] = {
    str: _text,
    str | None: _optional_text,
    Path: _path,
    Path | None: _optional_path,
    bool: _switch,
    int: _whole,
    int | None: _optional_whole,
    float: _number,
    tuple[str, ...]: _texts,
    tuple[Format, ...]: _formats,
    tuple[Preset, ...]: _presets,
}
