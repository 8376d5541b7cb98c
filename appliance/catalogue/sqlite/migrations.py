"""Applies the migrations of the schema to a file, and refuses files that are none of ours."""

import sqlite3

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from appliance.catalogue.sql.migration import unknown_changes
from appliance.catalogue.sql.node_schema import MIGRATIONS
from appliance.domain.errors import CatalogueTooNew, CatalogueUnavailable

APPLICATION_ID = 0x41504943  # "APIC", in the file's header: tells our files from any other program's
_TABLES = {
    *("images", "tombstones", "tombstones_due", "idempotency", "notes", "uploads", "albums", "purges"),
    *("keys", "key_usage", "records_due", "day_budgets", "invites", "bans", "nodes", "leases"),
    Migrations.migrations_table,
}
migrations = Migrations("catalogue")
for migration in MIGRATIONS:
    migrations(name=migration.name)(migration.apply)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the missing migrations, each in a transaction. Raises sqlite3.Error."""
    migrations.apply(_database(connection))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def refuse_unfit(connection: sqlite3.Connection) -> None:
    """Raises CatalogueUnavailable for another program's file, CatalogueTooNew for one of a newer release."""
    db = _database(connection)
    [application_id] = connection.execute("PRAGMA application_id").fetchone()
    half_made = application_id == 0 and set(db.table_names()) <= _TABLES
    if application_id != APPLICATION_ID and not half_made:
        raise CatalogueUnavailable(
            "The catalogue file belongs to another program. It was not changed. "
            "Set data_dir to a folder that only the appliance uses."
        )
    if newer := unknown_changes(done.name for done in migrations.applied(db)):
        raise CatalogueTooNew(
            f"The catalogue was written by a newer release (it has {', '.join(newer)}, which this one doesn't know). "
            "Install that release again, or restore a backup that was made before the upgrade."
        )


def _database(connection: sqlite3.Connection) -> Database:
    return Database(connection, recursive_triggers=False, execute_plugins=False)
