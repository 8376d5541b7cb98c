"""The later migrations: what tells a key that was replaced, and where an unfinished upload came from."""

from appliance.catalogue.sql.migration import Schema, migration
from appliance.catalogue.sql.node_schema import MIGRATIONS

__all__ = ["MIGRATIONS"]


@migration("0022-rotated-keys")
def rotated_keys(db: Schema) -> None:
    """The hash of the secret that a key had before it was rotated."""
    db.execute("ALTER TABLE keys ADD COLUMN former_hash BLOB")


@migration("0023-upload-origins")
def upload_origins(db: Schema) -> None:
    """The address that created an upload, sealed with a key that isn't here and lasts a day."""
    db.execute("ALTER TABLE uploads ADD COLUMN origin BLOB")
