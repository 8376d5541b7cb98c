"""The connection that writes a file: it commits groups of operations, and checkpoints.

Each operation runs in a savepoint of its own, so that one that raises fails alone. A commit is on disk with
`synchronous=FULL`.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from appliance.catalogue.sql.writer import PendingWrite
from appliance.catalogue.sqlite.checkpoints import Checkpoints
from appliance.catalogue.sqlite.connections import open_writer
from appliance.catalogue.sqlite.faults import translate_error
from appliance.domain.errors import CatalogueUnavailable

IDLE_S = 1.0


class SqliteSession:
    """A `Session` with the file at `path`, which is made if there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def idle_s(self) -> float | None:
        return IDLE_S if self._checkpoints.wanted else None

    @property
    def answers_within_s(self) -> float | None:
        return None

    @property
    def waits_for(self) -> str | None:
        return None

    def open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = open_writer(self._path)
        except sqlite3.Error as error:
            raise translate_error(error) from error
        except OSError as error:
            raise CatalogueUnavailable(
                f"The folder of the catalogue can't be made ({error.strerror}). Check data_dir and who may write there."
            ) from error
        self._checkpoints = Checkpoints(self._connection, self._path)

    def commit(self, writes: Sequence[PendingWrite]) -> str | None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for write in writes:
                _attempt(self._connection, write)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            for write in writes:
                write.error = write.error or translate_error(error)
            return translate_error(error).detail
        return None

    def tidy(self, *, committed: bool) -> None:
        if committed:
            self._checkpoints.after_commit()
        else:
            self._checkpoints.after_fault()

    def rest(self, fault: str | None) -> str | None:
        self._checkpoints.when_idle()
        return fault

    def close(self) -> None:
        self._checkpoints.last()
        self._connection.close()

    def abandon(self) -> None:
        """There is nothing to do: what became of a commit is known at once."""


def _attempt(connection: sqlite3.Connection, write: PendingWrite) -> None:
    connection.execute("SAVEPOINT operation")
    try:
        write.outcome = write.operation(connection)
    except Exception as error:
        write.error = translate_error(error) if isinstance(error, sqlite3.Error) else error
        if not connection.in_transaction:  # a fault of the disk took the whole transaction with it
            if isinstance(error, sqlite3.Error):
                raise
            raise sqlite3.OperationalError("an operation ended the transaction") from error
        connection.execute("ROLLBACK TO operation")
    connection.execute("RELEASE operation")
