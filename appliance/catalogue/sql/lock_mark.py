"""The mark of a catalogue with locks: a release that knows none would show to everybody what is locked.

It is a migration by its name alone, made with the first lock, so that a catalogue without any can still be rolled back.
"""

from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.marks import add_mark
from appliance.domain.model import Album, Image
from appliance.domain.resumable_uploads import Upload

LOCKS_IN_USE = "0016-locks-in-use!"


def mark_if_closed(connection: Connection, *rows: Image | Album | Upload) -> None:
    """Keep older releases from this catalogue if one of the rows is closed; in the transaction that writes them."""
    if any(row.is_closed for row in rows):
        mark(connection)


def mark(connection: Connection) -> None:
    """Keep older releases from this catalogue."""
    add_mark(connection, LOCKS_IN_USE)
