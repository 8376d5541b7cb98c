"""The migrations from 0019 on, which make room for several servers."""

from appliance.catalogue.sql.migration import Schema, migration


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


@migration("0020-where-bytes-are")
def where_bytes_are(db: Schema) -> None:
    """Which node's spool has them, of an image until the store does; a server that is alone names none."""
    for table in ("images", "uploads"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN node TEXT")


@migration("0021-erasures")
def erasures(db: Schema) -> None:
    """When an image was erased, by the database's clock: each node evicts then what it has of it."""
    db.execute("ALTER TABLE tombstones ADD COLUMN erased_s INTEGER NOT NULL DEFAULT 0")
    db.execute("CREATE INDEX tombstones_by_erasure ON tombstones (erased_s, slug)")
