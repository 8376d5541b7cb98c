"""A change of the schema, and the list of all of them, which `schema` fills."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from appliance.catalogue.sql.lock_mark import LOCKS_IN_USE

CHANGES = "!"


class Schema(Protocol):
    """What migrations change."""

    def execute(self, statement: str, /) -> object:
        """Run one statement."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A change of the schema. `name` is recorded where it was applied."""

    name: str
    apply: Callable[[Schema], None]


MIGRATIONS: list[Migration] = []


def unknown_changes(applied: Iterable[str]) -> list[str]:
    """Those of the applied migrations that this release doesn't know, and must not work on."""
    known = {known.name for known in MIGRATIONS} | {LOCKS_IN_USE}
    return sorted(name for name in applied if name not in known and name.endswith(CHANGES))


def migration(name: str) -> Callable[[Callable[[Schema], None]], Callable[[Schema], None]]:
    """Adds the decorated function to the list."""

    def add(apply: Callable[[Schema], None]) -> Callable[[Schema], None]:
        MIGRATIONS.append(Migration(name, apply))
        return apply

    return add
