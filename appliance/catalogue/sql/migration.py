"""A change of the schema, and the list of all of them, which `schema` fills."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from appliance.catalogue.sql.lock_mark import LOCKS_IN_USE
from appliance.catalogue.sql.marks import is_of_copy, refuse_copies, without_indexes
from appliance.domain.errors import CatalogueTooNew, CommandFailed

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


def refuse_newer(applied: Collection[str]) -> None:
    """Raises CatalogueTooNew if the applied migrations have a change that this release doesn't know."""
    unknown = sorted(name for name in applied if name.endswith(CHANGES) and not _is_known(name))
    if unknown:
        raise CatalogueTooNew(
            f"The catalogue was written by a newer release (it has {', '.join(unknown)}, which this one doesn't know). "
            "Install that release again, or restore a backup that was made before the upgrade."
        )


def refuse_unusable(applied: Collection[str]) -> None:
    """Raises CatalogueNotInUse, CatalogueTooNew where no server of this release may work."""
    refuse_copies(applied)
    refuse_newer(applied)


def require_same_schema(applied: Collection[str], where: str) -> None:
    """Raises CommandFailed unless exactly the migrations of this release were applied."""
    if missing := sorted({known.name for known in MIGRATIONS} - set(applied)):
        raise CommandFailed(
            f"{where} was last used by an older release (it lacks {', '.join(missing)}). Start the server of this "
            "release once, then repeat the command."
        )
    if unknown := sorted(name for name in applied if not _is_known(name)):
        raise CommandFailed(
            f"{where} was changed by another release (it has {', '.join(unknown)}, which this one doesn't know). "
            "Repeat the command with that release."
        )


def _is_known(name: str) -> bool:
    return (
        name == LOCKS_IN_USE
        or is_of_copy(name)
        or any(name in (known.name, without_indexes(known.name)) for known in MIGRATIONS)
    )


def migration(name: str) -> Callable[[Callable[[Schema], None]], Callable[[Schema], None]]:
    """Adds the decorated function to the list."""

    def add(apply: Callable[[Schema], None]) -> Callable[[Schema], None]:
        MIGRATIONS.append(Migration(name, apply))
        return apply

    return add
