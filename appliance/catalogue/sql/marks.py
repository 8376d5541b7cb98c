"""Marks: names among the applied migrations that are none, and that keep some releases, or all, from a catalogue.

They end in `!`, as what older releases may not work on does, so that these refuse the catalogue without knowing why.
That of a migration that isn't finished ends as its name does.
"""

from collections.abc import Iterable

from appliance.catalogue.change_log import CopyProgress, Turn
from appliance.catalogue.sql.connection import Connection
from appliance.domain.errors import CatalogueNotInUse

MARK = """
    INSERT INTO _sqlite_migrations (migration_set, name, applied_at) SELECT 'catalogue', :name, datetime('now')
    WHERE NOT EXISTS (SELECT 1 FROM _sqlite_migrations WHERE migration_set = 'catalogue' AND name = :name)"""
UNMARK = "DELETE FROM _sqlite_migrations WHERE migration_set = 'catalogue' AND name = :name"
APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'catalogue'"
_COPYING, _MOVED, _WHOLE, _TOUCHED = "being copied from ", "moved to ", "copied until turn ", "being copied in turn "
_WITHOUT_INDEXES = "without indexes: "
RECOVERY = "a backup or the store"
"""What a catalogue is copied from that `appliance restore` or `appliance catalogue rebuild` recovers."""


def being_copied_from(source: str) -> str:
    """The mark of a copy that doesn't have all rows yet."""
    return f"{_COPYING}{source}!"


def moved_to(target: str) -> str:
    """The mark of a catalogue whose rows are in another one, where servers change them."""
    return f"{_MOVED}{target}!"


def copied_until(turn: Turn) -> str:
    """The mark of a copy that was as the source when the turn had begun."""
    return f"{_WHOLE}{turn.number} {turn.token}!"


def being_copied_in(token: str) -> str:
    """The mark of a copy that may have got rows that changed before the turn with this token."""
    return f"{_TOUCHED}{token}!"


def progress_of(applied: Iterable[str]) -> CopyProgress:
    """What the marks of a copy say of it."""
    whole, touched = None, None
    for name in applied:
        if name.startswith(_WHOLE):
            number, token = name.removeprefix(_WHOLE).removesuffix("!").split()
            whole = Turn(int(number), token)
        elif name.startswith(_TOUCHED):
            touched = name.removeprefix(_TOUCHED).removesuffix("!")
    return CopyProgress(whole, touched)


def without_indexes(migration: str) -> str:
    """The mark of a migration whose indexes are still being built. It keeps away whom the migration will keep away."""
    return f"{_WITHOUT_INDEXES}{migration}"


def is_of_progress(name: str) -> bool:
    """Whether it is a mark that says how far a copy is."""
    return name.startswith((_WHOLE, _TOUCHED))


def is_of_copy(name: str) -> bool:
    """Whether it is a mark that a copy leaves, and not a migration."""
    return name.startswith((_COPYING, _MOVED)) or is_of_progress(name)


def applied_names(connection: Connection) -> set[str]:
    """The applied migrations, and marks."""
    return {name for (name,) in connection.execute(APPLIED)}


def add_mark(connection: Connection, name: str) -> None:
    """Mark the catalogue; again does no harm."""
    connection.execute(MARK, {"name": name})


def remove_mark(connection: Connection, name: str) -> None:
    """Remove a mark, which need not be there."""
    connection.execute(UNMARK, {"name": name})


def refuse_copies(applied: Iterable[str]) -> None:
    """Raises CatalogueNotInUse if the rows were moved, or are not all here yet."""
    for name in applied:
        if name.startswith(_COPYING):
            raise CatalogueNotInUse(
                f"This catalogue is still {name.removesuffix('!')}, so it has only some of the rows. "
                f"{_continuation(name)}"
            )
        if name.startswith(_MOVED):
            raise CatalogueNotInUse(
                f"The rows of this catalogue were {name.removesuffix('!')}. Set catalogue.url accordingly; to come "
                "back, copy them from there with `appliance catalogue copy`."
            )


def _continuation(name: str) -> str:
    if name == being_copied_from(RECOVERY):
        return "Run `appliance restore` or `appliance catalogue rebuild` again: either one continues."
    return "Run `appliance catalogue copy` again to continue; or use the other one, which is as it was."
