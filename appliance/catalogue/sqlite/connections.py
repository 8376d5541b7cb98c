"""Opens connections to the catalogue's file: one that writes and checkpoints, and any number that only read.

SQLite before 3.51.3 can corrupt a WAL when two connections write or checkpoint at once, so no other connection may.
Memory mapping stays off: it reads a quarter faster, but a failing disk would then kill the server with a signal
(SIGBUS), where a read call returns an error.
"""

import contextlib
import sqlite3
from pathlib import Path

from appliance.catalogue.sqlite.faults import OLDEST_SQLITE
from appliance.catalogue.sqlite.migrations import migrate, refuse_unfit
from appliance.domain.errors import UnfitInstallation

BUSY_TIMEOUT_MS = 5000
PRIVATE_MODE = 0o600
_WRITER_CACHE_KIB = 65_536
_READER_CACHE_KIB = 16_384


def open_writer(path: Path) -> sqlite3.Connection:
    """The connection that writes, with the schema of this release. A file must never have two.

    Raises UnfitInstallation, CatalogueTooNew, CatalogueUnavailable (another program's file), sqlite3.Error.
    """
    require_sqlite()
    make_private(path)
    connection = connect(path, "rwc", _WRITER_CACHE_KIB)
    try:
        refuse_unfit(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = FAST")
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def make_private(path: Path) -> None:
    """Let only its owner read the catalogue, whatever the mode of its folder is. SQLite gives its log the same mode.

    The mode is set by name: opening and closing the file here would end the locks that this process has on it.
    """
    with contextlib.suppress(FileExistsError):
        path.touch(PRIVATE_MODE, exist_ok=False)
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            file.chmod(PRIVATE_MODE)


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that can't write and never checkpoints, not even when it is closed."""
    return connect(path, "ro", _READER_CACHE_KIB)


def require_sqlite(version: tuple[int, int, int] | None = None) -> str:
    """The version of SQLite in use. Raises UnfitInstallation if it is too old."""
    if (version or sqlite3.sqlite_version_info) < OLDEST_SQLITE:
        wanted = ".".join(map(str, OLDEST_SQLITE))
        raise UnfitInstallation(f"SQLite {sqlite3.sqlite_version} is too old: {wanted} or newer is needed.")
    return sqlite3.sqlite_version


def connect(path: Path, mode: str, cache_kib: int) -> sqlite3.Connection:
    """A connection in a mode of SQLite's (`rwc`, `ro`), with the settings that all of them have."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    # Each connection serves one thread at a time; only opening and closing may happen on another thread.
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=128)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
        connection.execute("PRAGMA mmap_size = 0")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA trusted_schema = OFF")  # the schema of a restored file may come from anybody
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    except BaseException:
        connection.close()
        raise
    return connection
