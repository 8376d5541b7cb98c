"""Option info: what is known of one option besides its type and default."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """The help that admins read, and the allowed values. `minimum` and `maximum` are inclusive.

    A `secret` is never shown.
    """

    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False


def info(
    help_text: str,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    *,
    secret: bool = False,
) -> dict[str, OptionInfo]:
    """The metadata of an option's dataclass field."""
    return {"info": OptionInfo(help_text, minimum, maximum, choices, secret)}
