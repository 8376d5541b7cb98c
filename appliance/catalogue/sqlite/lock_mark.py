"""The mark of a catalogue with locks: a release that knows none would show to everybody what is locked.

It is a migration by its name alone, made with the first lock, so that a catalogue without any can still be rolled back.
"""

import sqlite3

from appliance.domain.model import Album, Image
from appliance.domain.resumable_uploads import Upload

LOCKS_IN_USE = "0016-locks-in-use!"
_MARK = """
    INSERT INTO _sqlite_migrations (migration_set, name, applied_at) SELECT 'catalogue', :name, datetime('now')
    WHERE NOT EXISTS (SELECT 1 FROM _sqlite_migrations WHERE migration_set = 'catalogue' AND name = :name)"""


def mark_if_closed(connection: sqlite3.Connection, *rows: Image | Album | Upload) -> None:
    """Keep older releases from this catalogue if one of the rows is closed; in the transaction that writes them."""
    if any(row.is_closed for row in rows):
        mark(connection)


def mark(connection: sqlite3.Connection) -> None:
    """Keep older releases from this catalogue."""
    connection.execute(_MARK, {"name": LOCKS_IN_USE})
