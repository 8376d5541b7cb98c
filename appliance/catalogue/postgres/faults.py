"""Translates PostgreSQL's errors into named errors. What the server said is for the log: it names hosts and users."""

import psycopg
from psycopg import errors

from appliance.domain.errors import ApplianceError, CatalogueDamaged, CatalogueUnavailable, DiskFull

REPEATABLE = (errors.SerializationFailure, errors.DeadlockDetected)
"""A transaction that failed so may succeed when it is run once more."""
TIMEOUTS = (errors.QueryCanceled, errors.LockNotAvailable)
"""A statement took too long, or waited too long for a lock."""
_DAMAGED = (errors.DataCorrupted, errors.IndexCorrupted)
TOO_SLOW = "The catalogue's database took too long to answer. Try again in a moment."


def translate_error(error: psycopg.Error) -> ApplianceError:
    """The named error for an error of PostgreSQL. A new one each time, because callers must not share a traceback."""
    if isinstance(error, errors.DiskFull):
        return DiskFull("The disk of the catalogue's database is full, so nothing was saved. Free some space there.")
    if isinstance(error, _DAMAGED):
        return CatalogueDamaged("The catalogue's database is damaged. Stop the server, and restore its latest backup.")
    if isinstance(error, TIMEOUTS):
        return CatalogueUnavailable(TOO_SLOW)
    if isinstance(error, psycopg.OperationalError):
        return CatalogueUnavailable("The catalogue's database can't be reached. Try again in a moment.")
    name = type(error).__name__
    return CatalogueUnavailable(f"The catalogue's database refuses a statement ({name}). The log says more.")


def said(error: psycopg.Error) -> str:
    """What PostgreSQL said, on one line and not too long, for people who run the server."""
    return " ".join(str(error).split())[:300]
