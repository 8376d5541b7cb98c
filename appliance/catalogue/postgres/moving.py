"""The two ends of a copy between catalogues that are in databases."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial

import psycopg

from appliance.catalogue.change_log import Turn
from appliance.catalogue.moving import Key, StoredRow, Table
from appliance.catalogue.postgres.change_log import begin_turn_in, database_log, end_log_in
from appliance.catalogue.postgres.connections import Connector, PostgresConnection
from appliance.catalogue.postgres.database import CatalogueDatabase
from appliance.catalogue.postgres.faults import said, translate_error
from appliance.catalogue.postgres.lock_waits import LockWaits
from appliance.catalogue.postgres.migrations import existing_tables, is_made, migrate, require_fit
from appliance.catalogue.postgres.ownership import Ownership, take_turn
from appliance.catalogue.postgres.writing import wait_for_claim
from appliance.catalogue.sql.change_log import end_log, is_sound
from appliance.catalogue.sql.copy_end import CopySource, CopyTarget
from appliance.catalogue.sql.copy_marks import begin_copy, end_copy, require_copyable
from appliance.catalogue.sql.marks import add_mark, moved_to
from appliance.catalogue.sql.migration import refuse_newer
from appliance.catalogue.sql.table_rows import remove_rows
from appliance.domain.clock import Clock, system_clock
from appliance.domain.errors import CatalogueUnavailable, CommandFailed

_WITHOUT_LIMITS = (
    "SET statement_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
)

_ALONE = Ownership(node=None)


class DatabaseSource(CopySource[PostgresConnection]):
    """A `RowSource`: the database at `url`. `owning` it keeps every server from it, unless one has it already.

    `waits` is how it waits for locks of other sessions. Entering raises CommandFailed, CatalogueNotInUse,
    CatalogueUnavailable.
    """

    def __init__(
        self,
        url: str,
        target: str,
        tables: Sequence[Table],
        waits: LockWaits,
        *,
        owning: bool,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(str(CatalogueDatabase(url)), self._waiting, database_log(tables))
        self._url = url
        self._target = target
        self._waits = waits
        self._owning = owning
        self._clock = clock

    def begin_turn(self) -> Turn | None:
        with _faults_named(), closing(_opened(self._url, self._waits)) as writer:
            if self.is_owned and not is_sound(writer, self._log):
                return None
            begin = partial(begin_turn_in, writer, self._log, int(self._clock()))
            return self._waits.attempt(writer, begin)

    def begin_snapshot(self) -> None:
        with self._waiting():
            self._connection.raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            require_copyable(self._connection, str(self), self._target)  # it is the first query that takes the snapshot

    def end_log(self) -> None:
        with _faults_named(), closing(_opened(self._url, self._waits)) as writer:
            end_log_in(writer, self._log)

    def retire(self, target: str) -> None:
        with self._waiting():
            self._connection.raw.execute("COMMIT")
            add_mark(self._connection, moved_to(target))

    def _connect(self) -> PostgresConnection:
        return _opened(self._url, self._waits)

    def _prepare(self) -> None:
        if not is_made(self._connection):
            raise CommandFailed(f"There is no catalogue in {self}. Is catalogue.url correct?")
        self._is_owned = self._owning and _is_alone(self._connection)
        require_copyable(self._connection, str(self), self._target)

    def _waiting(self) -> AbstractContextManager[None]:
        return _waiting(self._waits, self._connection)


class DatabaseTarget(CopyTarget[PostgresConnection]):
    """A `RowTarget`: the database at `url`, whose tables are made where there are none.

    `waits` is how it waits for locks of other sessions. Entering raises CommandFailed, CatalogueTooNew,
    CatalogueUnavailable, UnfitInstallation.
    """

    def __init__(self, url: str, source: str, tables: Sequence[Table], waits: LockWaits) -> None:
        super().__init__(str(CatalogueDatabase(url)), self._waiting)
        self._url = url
        self._source = source
        self._tables = tables
        self._waits = waits

    def write(self, table: Table, gone: Sequence[Key], rows: Sequence[StoredRow]) -> None:
        add = f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN"
        with self._waiting(), self._connection.raw.transaction():
            remove_rows(self._connection, table, gone)
            with self._connection.raw.cursor() as cursor, cursor.copy(add.encode()) as copy:
                for row in rows:
                    copy.write_row(row)

    def release(self) -> None:
        with self._waiting():
            self._connection.raw.execute("ANALYZE")  # else the planner knows nothing of the rows for a minute
        with self._waiting(), self._transaction():
            end_copy(self._connection, self._source)

    def _connect(self) -> PostgresConnection:
        return _opened(self._url, self._waits)

    def _prepare(self) -> None:
        require_fit(self._connection)
        self._require_alone()
        self._waits.attempt(self._connection, partial(migrate, self._connection, _ALONE, refuse_newer))
        self._waits.attempt(self._connection, self._begin_copy)

    def _begin_copy(self) -> None:
        with self._transaction():
            log = database_log(self._tables)
            take_turn(self._connection, log.tables & existing_tables(self._connection))
            begin_copy(self._connection, self._source, str(self), self._tables)
            end_log(self._connection, log)  # what was left there when the rows were moved away

    def _waiting(self) -> AbstractContextManager[None]:
        return _waiting(self._waits, self._connection)

    def _transaction(self) -> AbstractContextManager[object]:
        return self._connection.raw.transaction()

    def _require_alone(self) -> None:
        if not _is_alone(self._connection):
            raise CommandFailed(f"A server or another copy uses {self}. Stop it first, or choose another database.")


def end_database_log(url: str, tables: Sequence[Table], waits: LockWaits) -> None:
    """End the log of changes of the database at `url`, which servers may use.

    Raises CommandFailed, CatalogueUnavailable.
    """
    with _faults_named(), closing(_opened(url, waits)) as writer:
        if not is_made(writer):
            raise CommandFailed(f"There is no catalogue in {CatalogueDatabase(url)}. Is catalogue.url correct?")
        waits.attempt(writer, partial(end_log_in, writer, database_log(tables)))


def _is_alone(connection: PostgresConnection) -> bool:
    """Keep every server away until the connection ends. False where there is one that doesn't end soon."""
    try:
        wait_for_claim(_ALONE.claim, connection)
    except CatalogueUnavailable:
        return False
    return True


def _opened(url: str, waits: LockWaits) -> PostgresConnection:
    try:
        connection = Connector(url).connect()
        for setting in _WITHOUT_LIMITS:
            connection.raw.execute(setting.encode())
        waits.allow(connection)
    except psycopg.Error as error:
        raise CatalogueUnavailable(f"The database can't be opened: {said(error)}") from error
    return connection


@contextmanager
def _waiting(waits: LockWaits, connection: PostgresConnection) -> Iterator[None]:
    with _faults_named(), waits.announced(connection):
        yield


@contextmanager
def _faults_named() -> Iterator[None]:
    try:
        yield
    except psycopg.DataError as error:
        raise CommandFailed(f"The database refuses a row: {said(error)}") from error
    except psycopg.Error as error:
        raise translate_error(error) from error
