"""Applies the migrations of the schema to a file, and refuses files that are none of ours."""

import sqlite3
from collections.abc import Callable, Collection

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from appliance.catalogue.sql.migration import refuse_unusable
from appliance.catalogue.sql.schema import MIGRATIONS
from appliance.domain.errors import CatalogueUnavailable

APPLICATION_ID = 0x41504943  # "APIC", in the file's header: tells our files from any other program's
_TABLES = {
    *("images", "tombstones", "tombstones_due", "idempotency", "notes", "uploads", "albums", "purges"),
    *("keys", "key_usage", "records_due", "day_budgets", "invites", "bans", "nodes", "leases", "revisions"),
    Migrations.migrations_table,
}
migrations = Migrations("catalogue")
for migration in MIGRATIONS:
    migrations(name=migration.name)(migration.apply)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the missing migrations, each in a transaction. Raises sqlite3.Error."""
    migrations.apply(_database(connection))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def refuse_unfit(connection: sqlite3.Connection, refuse: Callable[[Collection[str]], None] = refuse_unusable) -> None:
    """Raises CatalogueUnavailable for another program's file, and what `refuse` raises of the applied migrations:
    CatalogueNotInUse, CatalogueTooNew.
    """
    db = _database(connection)
    [application_id] = connection.execute("PRAGMA application_id").fetchone()
    half_made = application_id == 0 and set(db.table_names()) <= _TABLES
    if application_id != APPLICATION_ID and not half_made:
        raise CatalogueUnavailable(
            "The catalogue file belongs to another program. It was not changed. "
            "Set data_dir to a folder that only the appliance uses."
        )
    refuse([done.name for done in migrations.applied(db)])


def _database(connection: sqlite3.Connection) -> Database:
    return Database(connection, recursive_triggers=False, execute_plugins=False)
