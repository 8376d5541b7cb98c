"""What the ends of a copy have alike, whichever database they are in."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from appliance.catalogue.change_log import CopyProgress, Turn
from appliance.catalogue.moving import Key, KeySpan, StoredRow, Table
from appliance.catalogue.sql.change_log import LogSchema, is_sound, knows, log_table
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.copy_marks import begin_pass, copy_progress, end_pass
from appliance.catalogue.sql.table_rows import count_logged, count_rows, logged_keys, read_rows, rows_of_keys


class OpenConnection(Connection, Protocol):
    """A connection that its owner closes."""

    def close(self) -> None: ...


Opened = TypeVar("Opened", bound=OpenConnection)


class CopyEnd(ABC, Generic[Opened]):
    """One end of a copy: entered, it is connected and prepared. `faults_named` gives the driver's errors our names."""

    def __init__(self, name: str, faults_named: Callable[[], AbstractContextManager[None]]) -> None:
        self._name = name
        self._faults_named = faults_named

    def __str__(self) -> str:
        return self._name

    def __enter__(self) -> Self:
        self._connection = self._connect()
        try:
            with self._faults_named():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def read(self, table: Table, span: KeySpan, max_rows: int) -> list[StoredRow]:
        with self._faults_named():
            return read_rows(self._connection, table, span, max_rows)

    def rows_of(self, table: Table, keys: Sequence[Key]) -> list[StoredRow]:
        with self._faults_named():
            return rows_of_keys(self._connection, table, keys)

    @abstractmethod
    def _connect(self) -> Opened:
        """Open the connection, or say why there is none."""

    @abstractmethod
    def _prepare(self) -> None:
        """Check what is there, and begin."""


class CopySource(CopyEnd[Opened]):
    """The end that is read. `is_owned` is true while no server can write to it; `log` is that of its changes."""

    def __init__(
        self,
        name: str,
        faults_named: Callable[[], AbstractContextManager[None]],
        log: LogSchema,
        *,
        is_owned: bool = False,
    ) -> None:
        super().__init__(name, faults_named)
        self._log = log
        self._is_owned = is_owned

    @property
    def is_owned(self) -> bool:
        return self._is_owned

    def count(self, tables: Sequence[Table]) -> int:
        with self._faults_named():
            return count_rows(self._connection, tables)

    def has_changes_since(self, progress: CopyProgress) -> bool:
        with self._faults_named():
            return is_sound(self._connection, self._log) and knows(self._connection, progress)

    def count_changed(self, tables: Sequence[Table], since: Turn) -> int:
        with self._faults_named():
            return count_logged(self._connection, map(log_table, tables), since.number)

    def changed_keys(self, table: Table, since: Turn, after: Key | None, max_keys: int) -> list[Key]:
        with self._faults_named():
            return logged_keys(self._connection, log_table(table), since.number, after, max_keys)


class CopyTarget(CopyEnd[Opened]):
    """The end that is written. Its marks say how far the copy is."""

    def progress(self) -> CopyProgress:
        with self._faults_named():
            return copy_progress(self._connection)

    def begin_pass(self, whole: Turn | None, token: str | None) -> None:
        with self._faults_named(), self._transaction():
            begin_pass(self._connection, whole, token)

    def end_pass(self, whole: Turn) -> None:
        with self._faults_named(), self._transaction():
            end_pass(self._connection, whole)

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[object]:
        """A transaction that is durable at the end of the block."""
