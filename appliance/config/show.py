"""The configuration as TOML, for people and for `load`."""

import json
from collections.abc import Mapping
from pathlib import Path

from appliance.config.model import Config
from appliance.config.options import OPTIONS, Option, value_of
from appliance.domain.renditions import Preset

HIDDEN = "(hidden)"


def as_toml(config: Config, origins: Mapping[str, str] | None = None, *, hide_secrets: bool = True) -> str:
    """The configuration as a TOML file. With `origins` (by option name), each line says where its value came from."""
    lines: list[str] = []
    section = ""
    for option in OPTIONS:
        if option.section != section:
            section = option.section
            lines += ["", f"[{section}]"]
        value = value_of(config, option)
        shown = HIDDEN if hide_secrets and option.info.secret and value is not None else value
        lines.append(_line(option, shown, (origins or {}).get(option.name)))
    return "\n".join(lines) + "\n"


def _line(option: Option, value: object, origin: str | None) -> str:
    if value is None:
        return f"# {option.key} is not set"
    comment = f"  # {_plain(origin)}" if origin else ""
    return f"{option.key} = {toml_value(value)}{comment}"


def toml_value(value: object) -> str:
    """One value in TOML, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (str, Path)):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if not isinstance(value, tuple):
        raise TypeError(f"{type(value)} can't be written as TOML")
    if value and all(isinstance(item, Preset) for item in value):
        return "{ " + ", ".join(f"{preset.name} = {preset.box_px}" for preset in value) + " }"
    return "[" + ", ".join(toml_value(item) for item in value) + "]"


def _plain(comment: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in comment)
