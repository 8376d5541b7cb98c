"""Whole rows of any table, as they are stored: what copying from one catalogue to another reads and removes."""
# ruff: noqa: S608  (only names from the schema are put into the text; values are always bound)

from collections.abc import Iterable, Sequence
from typing import Any

from appliance.catalogue.moving import Key, KeySpan, StoredRow, Table
from appliance.catalogue.sql.connection import Connection


def read_rows(connection: Connection, table: Table, span: KeySpan, max_rows: int) -> list[StoredRow]:
    """The first rows of the span, in the order of their keys."""
    values: dict[str, Any] = {"limit": max_rows}
    conditions = []
    for sign, name, bound in ((">", "after", span.after), ("<=", "last", span.last)):
        if bound is not None:
            conditions.append(f"({_key(table)}) {sign} ({_parameters(table, name)})")
            values |= _bound(name, bound)
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    statement = f"SELECT {_columns(table)} FROM {table.name} {where}ORDER BY {_key(table)} LIMIT :limit"
    return connection.execute(statement, values).fetchall()


def remove_rows(connection: Connection, table: Table, keys: Iterable[Key]) -> None:
    """Remove the rows of these keys."""
    statement = f"DELETE FROM {table.name} WHERE ({_key(table)}) = ({_parameters(table, 'key')})"
    connection.executemany(statement, (_bound("key", key) for key in keys))


def count_rows(connection: Connection, tables: Sequence[Table]) -> int:
    """How many rows these tables have. Reads all of them."""
    return sum(connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0] for table in tables)


def first_with_rows(connection: Connection, tables: Sequence[Table]) -> str | None:
    """The name of a table that is not empty; None if all are."""
    for table in tables:
        if connection.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone():
            return table.name
    return None


def _columns(table: Table) -> str:
    return ", ".join(table.columns)


def _key(table: Table) -> str:
    return ", ".join(table.key)


def _parameters(table: Table, name: str) -> str:
    return ", ".join(f":{name}_{number}" for number in range(len(table.key)))


def _bound(name: str, key: Key) -> dict[str, Any]:
    return {f"{name}_{number}": part for number, part in enumerate(key)}
