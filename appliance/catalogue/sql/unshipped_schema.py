"""The migrations from 0025 on: what waits for the store, by node."""

from appliance.catalogue.sql.migration import Schema, migration


@migration("0025-unshipped-by-node")
def unshipped_by_node(db: Schema) -> None:
    """Each node reads its own rows. The index keeps its name, which the statements of older releases require."""
    db.execute("DROP INDEX images_unshipped")
    db.execute(
        "CREATE INDEX images_unshipped ON images (coalesce(node, ''), slug) WHERE location = 'spool' AND ended IS NULL"
    )
