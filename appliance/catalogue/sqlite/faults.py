"""Translates SQLite's errors into named errors."""

import sqlite3

from appliance.domain.errors import ApplianceError, CatalogueDamaged, CatalogueUnavailable, DiskFull, Stopping

_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
OLDEST_SQLITE = (3, 38, 0)  # the first with JSON functions always built in


def translate_error(error: sqlite3.Error) -> ApplianceError:
    """The named error for an error of SQLite. A new one each time, because callers must not share a traceback."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    primary = code & 0xFF
    if code in _FULL or primary in _FULL:
        return DiskFull("The catalogue's disk is full, so nothing was saved. Free some space and try again.")
    if primary in _DAMAGED:
        return CatalogueDamaged(
            "The catalogue's file is damaged. Stop the server, keep the file, and restore the latest backup; "
            "or run `appliance catalogue rebuild`, which rebuilds it from the object store."
        )
    if primary == sqlite3.SQLITE_INTERRUPT:
        return Stopping()
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return CatalogueUnavailable(
        f"The catalogue can't be read or written ({name}). "
        "Check that its folder exists, belongs to the server's user and is on a working disk."
    )
