"""What every named error has: a stable code, text for a person, and the limit and figure that was passed."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ClassVar

from appliance.domain.byte_sizes import format_size
from appliance.domain.clock import DAY_S

UNITS_S = {"days": DAY_S, "hours": 3600, "minutes": 60}
_LARGEST = 10**18
"""A number that a client made up is shown as this at most: formats overflow at some hundred digits."""


def figures_of(
    values: Mapping[str, int | None], number: Callable[[int], str], size: Callable[[int], str]
) -> Mapping[str, str]:
    """Values for texts: those known as numbers (`limit`), as bytes (`limit_size`), and as a time where it is one.

    A time is in the largest unit that fits at least twice: `limit_days`, `limit_hours` or `limit_minutes`.
    """
    known: dict[str, str] = {}
    for name, given in values.items():
        if given is not None:
            value = max(-_LARGEST, min(given, _LARGEST))
            known |= {name: number(value), f"{name}_size": size(value)}
            for unit, unit_s in UNITS_S.items():
                if value >= 2 * unit_s:
                    known[f"{name}_{unit}"] = number(value // unit_s)
                    break
    return known


def fill_in(texts: Iterable[str], figures: Mapping[str, str]) -> str | None:
    """The first text whose placeholders are all known, filled in; None if there is none."""
    for text in texts:
        if set(re.findall(r"\{(\w+)\}", text)) <= figures.keys():
            return text.format_map(figures)
    return None


class ApplianceError(Exception):
    """Base of all named errors. `detail` is written for the person who made the request; `code` is stable.

    `texts` are the details to choose from, the most exact first. Errors that only programs meet have none. An error can
    be raised with texts of its own, which pages show instead of a detail that is written for programmers.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    texts: tuple[str, ...] = ()
    for_programmers: bool = False
    """Whether details speak of fields, headers and methods, so that pages show one of the texts instead."""

    def __init__(
        self,
        detail: str = "",
        *,
        limit: int | None = None,
        actual: int | None = None,
        retry_after_s: int | None = None,
        texts: tuple[str, ...] = (),
    ) -> None:
        if texts:
            self.texts, self.for_programmers = texts, True
        figures = figures_of({"limit": limit, "actual": actual}, "{:,}".format, format_size)
        self.detail = detail or fill_in(self.texts, figures) or f"{self.title}."
        super().__init__(self.detail)
        self.limit = limit
        self.actual = actual
        self.retry_after_s = retry_after_s

    @classmethod
    def kinds(cls) -> Iterator[type["ApplianceError"]]:
        """Every class with a code below this one, each before those that are below it."""
        for kind in cls.__subclasses__():
            if hasattr(kind, "code"):
                yield kind
            yield from kind.kinds()
