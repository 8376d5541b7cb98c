"""Which catalogues may be copied, which ones may be written to, and the marks that they have meanwhile."""

from collections.abc import Sequence

from appliance.catalogue.change_log import CopyProgress, Turn
from appliance.catalogue.moving import Table
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.lock_mark import LOCKS_IN_USE
from appliance.catalogue.sql.marks import (
    RECOVERY,
    add_mark,
    applied_names,
    being_copied_from,
    being_copied_in,
    copied_until,
    is_of_progress,
    moved_to,
    progress_of,
    refuse_copies,
    remove_mark,
)
from appliance.catalogue.sql.migration import require_same_schema
from appliance.catalogue.sql.table_rows import first_with_rows
from appliance.domain.errors import CommandFailed

_TO_COPY = (
    "Copy to an empty database, or to a file that doesn't exist; if the copy was finished before, set catalogue.url."
)
_TO_REPLACE = (
    "If you really want to replace them, stop all servers, keep a copy (`appliance catalogue backup FILE`), remove the "
    "database with `dropdb`, and create it again as under “The catalogue in PostgreSQL” in docs/operations.md."
)


def require_copyable(connection: Connection, source: str, target: str) -> None:
    """Raises CommandFailed if the source has another schema, CatalogueNotInUse if it was moved elsewhere."""
    applied = applied_names(connection)
    refuse_copies(applied - {moved_to(target)})  # a copy that was killed in its last moment continues
    require_same_schema(applied, source)


def begin_copy(connection: Connection, source: str, target: str, tables: Sequence[Table]) -> None:
    """Mark the target as being copied from the source, before its first row.

    Raises CommandFailed if it has another schema, or rows that neither are an unfinished copy nor were moved there.
    """
    applied = applied_names(connection)
    require_same_schema(applied, target)
    if being_copied_from(source) not in applied:
        forget_progress(connection)
    require_empty(connection, source, target, tables)
    add_mark(connection, being_copied_from(source))
    add_mark(connection, LOCKS_IN_USE)  # releases that know no locks know no databases either
    remove_mark(connection, moved_to(source))


def copy_progress(connection: Connection) -> CopyProgress:
    """What the target says of itself."""
    return progress_of(applied_names(connection))


def begin_pass(connection: Connection, whole: Turn | None, token: str | None) -> None:
    """Mark the target before it gets rows that changed before the turn with this token; `whole` is what is kept."""
    forget_progress(connection)
    if whole is not None:
        add_mark(connection, copied_until(whole))
    if token is not None:
        add_mark(connection, being_copied_in(token))


def end_pass(connection: Connection, whole: Turn) -> None:
    """Mark the target as having been as the source when this turn had begun."""
    forget_progress(connection)
    add_mark(connection, copied_until(whole))


def require_empty(connection: Connection, source: str, target: str, tables: Sequence[Table]) -> None:
    """Raises CommandFailed if these tables have rows that neither are an unfinished copy nor were moved there."""
    is_continued = {being_copied_from(source), moved_to(source)} & applied_names(connection)
    if not is_continued and (name := first_with_rows(connection, tables)):
        advice = _TO_REPLACE if source == RECOVERY else _TO_COPY
        raise CommandFailed(
            f"{target} has rows already (in the table {name}), and they are no unfinished copy of {source}. Nothing "
            f"was changed. {advice}"
        )


def end_copy(connection: Connection, source: str) -> None:
    """Let servers use the target."""
    forget_progress(connection)
    remove_mark(connection, being_copied_from(source))


def forget_progress(connection: Connection) -> None:
    """Remove the marks that say how far the copy is."""
    for name in filter(is_of_progress, applied_names(connection)):
        remove_mark(connection, name)
