"""The two ends of a copy between catalogues that are in files, and the tables that are copied."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from appliance.catalogue.moving import Key, StoredRow, Table
from appliance.catalogue.sql.copy_end import CopyEnd, CopySource
from appliance.catalogue.sql.copy_marks import begin_copy, end_copy, require_copyable
from appliance.catalogue.sql.marks import add_mark, moved_to
from appliance.catalogue.sql.migration import refuse_newer
from appliance.catalogue.sql.schema import MIGRATIONS
from appliance.catalogue.sql.table_rows import remove_rows
from appliance.catalogue.sqlite.connections import connect, make_private, open_reader, open_writer, require_sqlite
from appliance.catalogue.sqlite.copying import remove_unfinished, seal
from appliance.catalogue.sqlite.faults import translate_error
from appliance.catalogue.sqlite.migrations import migrate, refuse_unfit
from appliance.domain.errors import CommandFailed

_CACHE_KIB = 65_536
_OF_ONE_DATABASE = ("leases", "nodes")
_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
_COLUMNS = "SELECT name, pk FROM pragma_table_info(:table)"


def catalogue_tables() -> tuple[Table, ...]:
    """The tables that the migrations make in every database, without those about its servers."""
    connection = sqlite3.connect(":memory:")
    try:
        for migration in MIGRATIONS:
            migration.apply(connection)
        names = [name for (name,) in connection.execute(_TABLES).fetchall() if name not in _OF_ONE_DATABASE]
        return tuple(_table(connection, name) for name in names)
    finally:
        connection.close()


def _table(connection: sqlite3.Connection, name: str) -> Table:
    columns = connection.execute(_COLUMNS, {"table": name}).fetchall()
    key = sorted((place, column) for column, place in columns if place)
    return Table(name, tuple(column for column, _ in columns), tuple(column for _, column in key))


class FileSource(CopySource[sqlite3.Connection]):
    """A `RowSource`: the file at `path`, to which a server may write meanwhile unless `is_owned`.

    Entering raises CommandFailed, CatalogueNotInUse, CatalogueUnavailable, CatalogueDamaged.
    """

    def __init__(self, path: Path, target: str, *, is_owned: bool) -> None:
        super().__init__(str(path), _faults_named, is_owned=is_owned)
        self._path = path
        self._target = target

    def retire(self, target: str) -> None:
        with _faults_named():
            self._connection.execute("COMMIT")
            writer = connect(self._path, "rw", _CACHE_KIB)
            try:
                writer.execute("PRAGMA synchronous = FULL")
                add_mark(writer, moved_to(target))
            finally:
                writer.close()

    def _connect(self) -> sqlite3.Connection:
        if not self._path.exists():
            raise CommandFailed(f"There is no catalogue at {self._path}. Is data_dir correct?")
        with _faults_named():
            return open_reader(self._path)

    def _prepare(self) -> None:
        self._connection.execute("BEGIN")
        require_copyable(self._connection, str(self._path), self._target)


class FileTarget(CopyEnd[sqlite3.Connection]):
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

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
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
    return FileSource(path, target, is_owned=True)


@contextmanager
def _faults_named() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise translate_error(error) from error
