"""What the ends of a copy have alike, whichever database they are in."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from appliance.catalogue.moving import KeySpan, StoredRow, Table
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.table_rows import count_rows, read_rows


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

    @abstractmethod
    def _connect(self) -> Opened:
        """Open the connection, or say why there is none."""

    @abstractmethod
    def _prepare(self) -> None:
        """Check what is there, and begin."""


class CopySource(CopyEnd[Opened]):
    """The end that is read. `is_owned` is true while no server can write to it."""

    def __init__(
        self, name: str, faults_named: Callable[[], AbstractContextManager[None]], *, is_owned: bool = False
    ) -> None:
        super().__init__(name, faults_named)
        self._is_owned = is_owned

    @property
    def is_owned(self) -> bool:
        return self._is_owned

    def count(self, tables: Sequence[Table]) -> int:
        with self._faults_named():
            return count_rows(self._connection, tables)
