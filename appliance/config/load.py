"""Reads the sources of the configuration in order, and reports all mistakes in them at once."""

import difflib
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from appliance.config.checks import unmet
from appliance.config.model import Config
from appliance.config.options import CONFIG_ENV, ENV_PREFIX, OPTIONS, SECTIONS, Option, value_of
from appliance.config.values import InvalidValue, read_value
from appliance.domain.errors import ConfigError

SYSTEM_FILE = Path("/etc/appliance/appliance.toml")
MAX_FILE_BYTES = 1_000_000
DEFAULT = "default"

_BY_NAME = {option.name: option for option in OPTIONS}
_BY_ENV = {option.env_name: option for option in OPTIONS}
_SHOWN_CHARS = 80


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration, and where the value of each option came from, by option name."""

    config: Config
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Found:
    """A value as it was written, and where."""

    option: Option
    raw: object
    origin: str


def load(file: Path | None = None, environ: Mapping[str, str] | None = None, system_file: Path = SYSTEM_FILE) -> Loaded:
    """Read every source and check the result.

    The file is `file`, else the one that $APPLIANCE_CONFIG names, else `system_file` if that exists. Raises
    ConfigError, whose `detail` has a line for each mistake.
    """
    environ = os.environ if environ is None else environ
    mistakes: list[str] = []
    found: dict[str, _Found] = {}
    for item in _sources(_chosen_file(file, environ, system_file), environ, mistakes):
        found[item.option.name] = item
    values = dict(_values(found.values(), mistakes))
    config, origins = _built(values, found)
    mistakes += _unmet_lines(config, found, values)
    if mistakes:
        raise ConfigError("\n".join(dict.fromkeys(mistakes)))
    return Loaded(config, origins)


def _chosen_file(file: Path | None, environ: Mapping[str, str], system_file: Path) -> Path | None:
    if file is not None:
        return file
    if environ.get(CONFIG_ENV):
        return Path(environ[CONFIG_ENV])
    return system_file if system_file.exists() else None


def _sources(file: Path | None, environ: Mapping[str, str], mistakes: list[str]) -> Iterator[_Found]:
    if file is not None:
        yield from _from_table(_parsed(file, mistakes), file, mistakes)
    yield from _from_environment(environ, mistakes)
    yield from _from_credentials(environ.get("CREDENTIALS_DIRECTORY"), mistakes)


def _parsed(file: Path, mistakes: list[str]) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            mistakes.append(f"{file}: larger than {MAX_FILE_BYTES} bytes")
            return {}
        return tomllib.loads(content.decode())
    except OSError as fault:
        mistakes.append(f"{file}: can't be read: {fault.strerror}")
    except (ValueError, RecursionError) as fault:
        mistakes.append(f"{file}: not valid TOML: {fault}")
    return {}


def _from_table(table: Mapping[str, Any], file: Path, mistakes: list[str]) -> Iterator[_Found]:
    for key, value in table.items():
        if key in SECTIONS:
            if isinstance(value, dict):
                yield from _named({f"{key}.{inner}": item for inner, item in value.items()}, file, mistakes)
            else:
                mistakes.append(f"{key} = {_shown(value)} ({file}): expected a section, [{key}]")
        else:
            yield from _named({key: value}, file, mistakes)


def _named(values: Mapping[str, Any], file: Path, mistakes: list[str]) -> Iterator[_Found]:
    for name, value in values.items():
        if name in _BY_NAME:
            yield _Found(_BY_NAME[name], value, str(file))
        else:
            mistakes.append(f"{name} ({file}): unknown{_did_you_mean(name, [*_BY_NAME, *SECTIONS])}")


def _from_environment(environ: Mapping[str, str], mistakes: list[str]) -> Iterator[_Found]:
    for name, value in environ.items():
        if name in _BY_ENV:
            yield _Found(_BY_ENV[name], value, f"environment {name}")
        elif name.startswith(ENV_PREFIX) and name != CONFIG_ENV:
            mistakes.append(f"{name} (environment): unknown{_did_you_mean(name, [*_BY_ENV, CONFIG_ENV])}")


def _from_credentials(folder: str | None, mistakes: list[str]) -> Iterator[_Found]:
    if not folder:
        return
    for option in OPTIONS:
        path = Path(folder, option.credential_name)
        if option.info.secret and path.exists():
            try:
                with path.open("rb") as stream:
                    text = stream.read(MAX_FILE_BYTES).decode()
            except (OSError, UnicodeDecodeError):
                mistakes.append(f"{option.name} (credential {option.credential_name}): can't be read as text")
            else:
                yield _Found(option, text.removesuffix("\n").removesuffix("\r"), f"credential {option.credential_name}")


def _values(found: Iterable[_Found], mistakes: list[str]) -> Iterator[tuple[str, Any]]:
    for item in found:
        try:
            yield item.option.name, read_value(item.option, item.raw)
        except InvalidValue as invalid:
            mistakes.append(_mistake(item.option, item.raw, item.origin, str(invalid)))


def _built(values: Mapping[str, Any], found: Mapping[str, _Found]) -> tuple[Config, dict[str, str]]:
    origins = {name: found[name].origin if name in values else DEFAULT for name in _BY_NAME}
    values = dict(values)
    if "renditions.presets" in values and "renditions.prewarm" not in found:
        values["renditions.prewarm"] = tuple(preset.name for preset in values["renditions.presets"])
        origins["renditions.prewarm"] = "default: every preset"
    config = Config()
    for name, value in values.items():
        option = _BY_NAME[name]
        if option.section:
            section = replace(getattr(config, option.section), **{option.key: value})
            config = replace(config, **{option.section: section})
        else:
            config = replace(config, **{option.key: value})
    return config, origins


def _unmet_lines(config: Config, found: Mapping[str, _Found], values: Mapping[str, Any]) -> Iterator[str]:
    """Skips values that are reported as invalid already: `config` has their defaults."""
    for name, expected in unmet(config):
        if name in values or name not in found:
            origin = found[name].origin if name in values else DEFAULT
            yield _mistake(_BY_NAME[name], value_of(config, _BY_NAME[name]), origin, expected)


def _mistake(option: Option, raw: object, origin: str, expected: str) -> str:
    shown = "(hidden)" if option.info.secret and raw is not None else _shown(raw)
    return f"{option.name} = {shown} ({origin}): expected {expected}"


def _shown(raw: object) -> str:
    if raw is None:
        return "(not set)"
    text = repr(raw)[: _SHOWN_CHARS * 2]
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name[:200], list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
