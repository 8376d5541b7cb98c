"""The migrations from 0022 on: the last secret of a rotated key, and which address began an upload."""

from appliance.catalogue.sql.migration import Schema, migration


@migration("0022-rotated-keys")
def rotated_keys(db: Schema) -> None:
    """The hash of the secret that a key had before it was rotated."""
    db.execute("ALTER TABLE keys ADD COLUMN former_hash BLOB")


@migration("0023-sealed-addresses")
def sealed_addresses(db: Schema) -> None:
    """The address that created an upload, sealed with a key that isn't here and lasts a day."""
    db.execute("ALTER TABLE uploads ADD COLUMN sealed_address BLOB")
