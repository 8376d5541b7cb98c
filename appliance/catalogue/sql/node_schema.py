"""The migrations of the schema from 0019 on, which make room for several servers; `schema` has those before."""

from appliance.catalogue.sql.migration import Schema, migration
from appliance.catalogue.sql.schema import MIGRATIONS

__all__ = ["MIGRATIONS"]


@migration("0019-nodes")
def nodes(db: Schema) -> None:
    """The servers that share this catalogue, and which of them holds which lease. Times are the database's."""
    db.execute(
        """
        CREATE TABLE nodes (
            name TEXT NOT NULL PRIMARY KEY,
            url TEXT NOT NULL,
            home TEXT NOT NULL,
            version TEXT NOT NULL,
            schema TEXT NOT NULL,
            started_s INTEGER NOT NULL,
            seen_s INTEGER NOT NULL,
            left_s INTEGER
        ) WITHOUT ROWID"""
    )
    db.execute(
        "CREATE TABLE leases (name TEXT NOT NULL PRIMARY KEY, node TEXT NOT NULL, until_s INTEGER NOT NULL)"
        " WITHOUT ROWID"
    )
    db.execute("CREATE INDEX leases_by_node ON leases (node)")
