"""The tables of the catalogue, read off the migrations, so that none can be forgotten."""

import sqlite3
from functools import cache

from appliance.catalogue.moving import Table
from appliance.catalogue.sql.schema import MIGRATIONS

_OF_ONE_DATABASE = ("leases", "nodes")
_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
_COLUMNS = "SELECT name, type, pk FROM pragma_table_info(:table)"


@cache
def catalogue_tables() -> tuple[Table, ...]:
    """The tables that the migrations make in every database, without those about its servers."""
    connection = sqlite3.connect(":memory:")
    try:
        for migration in MIGRATIONS:
            migration.apply(connection)
        names = [name for (name,) in connection.execute(_TABLES).fetchall() if name not in _OF_ONE_DATABASE]
        return tuple(_table(connection, name) for name in names)
    finally:
        connection.close()


def _table(connection: sqlite3.Connection, name: str) -> Table:
    columns = connection.execute(_COLUMNS, {"table": name}).fetchall()
    key = sorted((place, column, kind) for column, kind, place in columns if place)
    return Table(
        name,
        tuple(column for column, _, _ in columns),
        tuple(column for _, column, _ in key),
        tuple(kind for _, _, kind in key),
    )
