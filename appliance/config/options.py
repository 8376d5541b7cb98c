"""All options, from the dataclasses of the configuration: their names in file, environment and credentials."""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from appliance.config.model import Config, OptionInfo

ENV_PREFIX = "APPLIANCE_"
CONFIG_ENV = "APPLIANCE_CONFIG"


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `section` is empty for options outside sections; `kind` is the type of its field."""

    section: str
    key: str
    kind: Any
    info: OptionInfo

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def env_name(self) -> str:
        return ENV_PREFIX + self.name.replace(".", "_").upper()

    @property
    def credential_name(self) -> str:
        """The file below $CREDENTIALS_DIRECTORY that may hold a secret."""
        return self.name.replace(".", "_")


def _options(of: type[Any], section: str = "") -> list[Option]:
    kinds = get_type_hints(of)
    return [
        Option(section, field.name, kinds[field.name], field.metadata["info"])
        for field in fields(of)
        if not is_dataclass(kinds[field.name])
    ]


def _sections() -> dict[str, type[Any]]:
    return {
        name: kind for name, kind in get_type_hints(Config).items() if is_dataclass(kind) and isinstance(kind, type)
    }


SECTIONS = _sections()
OPTIONS: tuple[Option, ...] = (
    *_options(Config),
    *(option for section, kind in SECTIONS.items() for option in _options(kind, section)),
)


def value_of(config: Config, option: Option) -> object:
    """The option's value in `config`."""
    value: object = getattr(getattr(config, option.section) if option.section else config, option.key)
    return value
