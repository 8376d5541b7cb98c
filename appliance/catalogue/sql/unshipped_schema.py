"""The migrations from 0025 on: what waits for the store, by node."""

from appliance.catalogue.sql.migration import Schema, migration


@migration("0025-unshipped-by-node")
def unshipped_by_node(db: Schema) -> None:
    """Each node reads its own rows. The index keeps its name, which the statements of older releases require."""
    db.execute("DROP INDEX images_unshipped")
    db.execute(
        "CREATE INDEX images_unshipped ON images (coalesce(node, ''), slug) WHERE location = 'spool' AND ended IS NULL"
    )


@migration("0026-ended-unshipped-by-node")
def ended_unshipped_by_node(db: Schema) -> None:
    """A node that is drained finds the ended ones that it has among the many that ended in these days."""
    db.execute(
        "CREATE INDEX images_ended_unshipped ON images (coalesce(node, ''), erase_after_s)"
        " WHERE location = 'spool' AND ended IS NOT NULL"
    )
