"""The two ends of a copy between catalogues that are in files."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from appliance.catalogue.change_log import ServerLog, Turn
from appliance.catalogue.moving import Key, StoredRow, Table
from appliance.catalogue.sql.change_log import begin_turn, end_log, is_sound
from appliance.catalogue.sql.copy_end import CopySource, CopyTarget
from appliance.catalogue.sql.copy_marks import begin_copy, end_copy, require_copyable
from appliance.catalogue.sql.marks import add_mark, moved_to
from appliance.catalogue.sql.migration import refuse_newer
from appliance.catalogue.sql.table_rows import remove_rows
from appliance.catalogue.sqlite.change_log import file_log
from appliance.catalogue.sqlite.connections import connect, make_private, open_reader, open_writer, require_sqlite
from appliance.catalogue.sqlite.copying import remove_unfinished, seal
from appliance.catalogue.sqlite.faults import translate_error
from appliance.catalogue.sqlite.migrations import migrate, refuse_unfit
from appliance.domain.clock import Clock, system_clock
from appliance.domain.errors import CommandFailed

_CACHE_KIB = 65_536


class FileSource(CopySource[sqlite3.Connection]):
    """A `RowSource`: the file at `path`, to which a server may write meanwhile, which has this log of its changes.

    Without `server_log` no server can write. Entering raises CommandFailed, CatalogueNotInUse, CatalogueUnavailable,
    CatalogueDamaged.
    """

    def __init__(
        self, path: Path, target: str, *, server_log: ServerLog | None = None, clock: Clock = system_clock
    ) -> None:
        super().__init__(str(path), _faults_named, file_log(), is_owned=server_log is None)
        self._path = path
        self._target = target
        self._server_log = server_log
        self._clock = clock

    def begin_turn(self) -> Turn | None:
        if self._server_log is not None:
            return self._server_log.begin_turn()
        with _faults_named():
            if not is_sound(self._connection, self._log):
                return None
            with _written(self._path) as writer:
                return begin_turn(writer, self._log, int(self._clock()))

    def begin_snapshot(self) -> None:
        with _faults_named():
            self._connection.execute("BEGIN")
            require_copyable(self._connection, str(self), self._target)  # it is the first query that takes the snapshot

    def retire(self, target: str) -> None:
        with _faults_named():
            self._connection.execute("COMMIT")
            with _written(self._path) as writer:
                add_mark(writer, moved_to(target))

    def end_log(self) -> None:
        end_file_log(self._path, self._server_log)

    def _connect(self) -> sqlite3.Connection:
        if not self._path.exists():
            raise CommandFailed(f"There is no catalogue at {self._path}. Is data_dir correct?")
        with _faults_named():
            return open_reader(self._path)

    def _prepare(self) -> None:
        require_copyable(self._connection, str(self._path), self._target)


class FileTarget(CopyTarget[sqlite3.Connection]):
    """A `RowTarget`: the file at `path`, made where there is none, which nobody else may have open.

    Entering raises CommandFailed, CatalogueTooNew, CatalogueUnavailable.
    """

    def __init__(self, path: Path, source: str, tables: Sequence[Table]) -> None:
        super().__init__(str(path), _faults_named)
        self._path = path
        self._source = source
        self._tables = tables

    def write(self, table: Table, gone: Sequence[Key], rows: Sequence[StoredRow]) -> None:
        places = ", ".join("?" * len(table.columns))
        add = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({places})"  # noqa: S608
        with _faults_named(), self._transaction():
            remove_rows(self._connection, table, gone)
            self._connection.executemany(add, rows)

    def release(self) -> None:
        with _faults_named(), self._transaction():
            end_copy(self._connection, self._source)

    def _connect(self) -> sqlite3.Connection:
        require_sqlite()
        if not self._path.parent.is_dir():
            raise CommandFailed(f"There is no folder {self._path.parent}. Create it first.")
        make_private(self._path)
        with _faults_named():
            return connect(self._path, "rwc", _CACHE_KIB)

    def _prepare(self) -> None:
        refuse_unfit(self._connection, refuse_newer)
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA wal_autocheckpoint = 1000")
        migrate(self._connection)
        with self._transaction():
            begin_copy(self._connection, self._source, str(self), self._tables)
            end_log(self._connection, file_log())  # what this command left there when the rows were moved away

    def _transaction(self) -> AbstractContextManager[None]:
        return _transaction(self._connection)


def end_file_log(path: Path, server_log: ServerLog | None = None) -> None:
    """End the log of changes of the file at `path`, which a server with this log has open, or nobody.

    Raises CommandFailed, CatalogueUnavailable, CatalogueDamaged.
    """
    if server_log is not None:
        server_log.end()
        return
    with _faults_named(), _written(path) as writer:
        end_log(writer, file_log())


@contextmanager
def _written(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that writes in one transaction, which is durable at the end of the block. Nobody else may write."""
    writer = connect(path, "rw", _CACHE_KIB)
    try:
        writer.execute("PRAGMA synchronous = FULL")
        with _transaction(writer):
            yield writer
    finally:
        writer.close()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def fresh_file(to: Path, source: str, tables: Sequence[Table]) -> Iterator[FileTarget]:
    """A `RowTarget` that is at `to`, whole and checked, once the block has ended, and not at all if the block fails.

    An older file at `to` is replaced. Raises CatalogueDamaged, DiskFull, and what `FileTarget` raises.
    """
    unfinished = to.with_name(f"{to.name}.unfinished")
    remove_unfinished(unfinished)
    try:
        with FileTarget(unfinished, source, tables) as target:
            yield target
            target.release()
        with _faults_named():
            seal(unfinished, to)
    finally:
        remove_unfinished(unfinished)


def recovered_file(path: Path, target: str) -> FileSource:
    """A file that nobody has open as a `RowSource`, with the schema of this release.

    Raises CatalogueNotInUse, CatalogueTooNew, CatalogueUnavailable, CatalogueDamaged, DiskFull.
    """
    with _faults_named():
        open_writer(path).close()
    return FileSource(path, target)


@contextmanager
def _faults_named() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise translate_error(error) from error
