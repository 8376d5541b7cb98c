"""The migrations from 0022 on: last secrets of rotated keys, addresses that began uploads, and revisions of images."""

from appliance.catalogue.sql.migration import Schema, migration


@migration("0022-rotated-keys")
def rotated_keys(db: Schema) -> None:
    """The hash of the secret that a key had before it was rotated."""
    db.execute("ALTER TABLE keys ADD COLUMN former_hash BLOB")


@migration("0023-sealed-addresses")
def sealed_addresses(db: Schema) -> None:
    """The address that created an upload, sealed with a key that isn't here and lasts a day."""
    db.execute("ALTER TABLE uploads ADD COLUMN sealed_address BLOB")


@migration("0024-revisions")
def revisions(db: Schema) -> None:
    """When an image was revised last, by the database's clock: each node drops then what it has of the image before."""
    db.execute(
        """
        CREATE TABLE revisions (
            slug TEXT NOT NULL PRIMARY KEY,
            version INTEGER NOT NULL,
            renews INTEGER NOT NULL,
            revised_s INTEGER NOT NULL
        ) WITHOUT ROWID"""
    )
    db.execute("CREATE INDEX revisions_by_time ON revisions (revised_s, slug)")
