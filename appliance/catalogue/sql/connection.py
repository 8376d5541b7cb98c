"""What statements run on: the part of a database's connection that all drivers have alike."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol


class Cursor(Protocol):
    """The result of a statement. Rows are tuples."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...  # noqa: ANN401 (a row, or None)

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection, in whatever transaction its owner has begun. Its methods raise the errors of its driver."""

    def execute(self, statement: str, values: Mapping[str, Any] = ..., /) -> Cursor:
        """Run one statement; `:name` in it stands for the value of that name."""

    def executemany(self, statement: str, rows: Iterable[Mapping[str, Any]], /) -> object:
        """Run a statement once for each of these values."""
