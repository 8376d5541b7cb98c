"""A database that a catalogue is restored or rebuilt into."""

from collections.abc import Sequence

from appliance.catalogue.moving import Table
from appliance.catalogue.postgres.lock_waits import LockWaits
from appliance.catalogue.postgres.migrations import existing_tables, require_fit
from appliance.catalogue.postgres.moving import DatabaseTarget
from appliance.catalogue.sql.copy_marks import require_empty
from appliance.catalogue.sql.marks import RECOVERY


class RecoveredDatabase(DatabaseTarget):
    """A `RowTarget`: the database at `url`, whose rows come from a backup or the store.

    Entering raises CommandFailed, CatalogueTooNew, CatalogueUnavailable, UnfitInstallation.
    """

    def __init__(self, url: str, tables: Sequence[Table], waits: LockWaits) -> None:
        super().__init__(url, RECOVERY, tables, waits)


class EmptyDatabase(RecoveredDatabase):
    """The same before anything is changed in it: while it is entered, no server starts with it.

    Entering raises CommandFailed also if it has rows that are no unfinished recovery.
    """

    def _prepare(self) -> None:
        require_fit(self._connection)
        self._require_alone()
        if there := existing_tables(self._connection):
            tables = [table for table in self._tables if table.name in there]
            require_empty(self._connection, self._source, str(self), tables)
