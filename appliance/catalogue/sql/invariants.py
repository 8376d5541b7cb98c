"""What has to be true of a catalogue and of every row."""

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.marks import applied_names, refuse_copies
from appliance.domain.errors import CatalogueNotInUse

MAX_LINES = 20
_INVARIANTS = (
    (sql.HALF_ENDED, "has only some of the marks of an ended image"),
    (sql.ERASING_ALIVE, "is being erased though it has not ended"),
    (sql.IMPOSSIBLE_FACTS, "has a size, version or place that can't be"),
    (sql.LIVING_TOMBSTONES, "has both a row and a tombstone"),
)


def problems(connection: Connection) -> list[str]:
    """A sentence for each problem. Reads all rows."""
    try:
        refuse_copies(applied_names(connection))
    except CatalogueNotInUse as error:
        return [error.detail]
    return _unsound_rows(connection)


def _unsound_rows(connection: Connection) -> list[str]:
    """A sentence for each row that makes no sense, up to `MAX_LINES` of a kind. Reads all rows."""
    return [
        f"Image {slug} {what}."
        for statement, what in _INVARIANTS
        for (slug,) in connection.execute(statement, {"limit": MAX_LINES}).fetchall()
    ]
