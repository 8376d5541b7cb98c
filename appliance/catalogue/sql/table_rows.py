"""Whole rows of any table, as they are stored: what copying from one catalogue to another reads and removes."""
# ruff: noqa: S608  (only names from the schema are put into the text; values are always bound)

from collections.abc import Iterable, Sequence
from typing import Any

from appliance.catalogue.moving import Key, KeySpan, StoredRow, Table
from appliance.catalogue.sql.connection import Connection

_KEYS_AT_ONCE = 500


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


def rows_of_keys(connection: Connection, table: Table, keys: Sequence[Key]) -> list[StoredRow]:
    """The rows of these keys, as far as there are any, in any order."""
    wanted = ", ".join(f"({_parameters(table, f'key_{number}')})" for number in range(_KEYS_AT_ONCE))
    statement = f"SELECT {_columns(table)} FROM {table.name} WHERE ({_key(table)}) IN (VALUES {wanted})"
    found: list[StoredRow] = []
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        some = [*some, *[some[-1]] * (_KEYS_AT_ONCE - len(some))]  # one statement for any number of keys
        values: dict[str, Any] = {}
        for number, key in enumerate(some):
            values |= _bound(f"key_{number}", key)
        found += connection.execute(statement, values).fetchall()
    return found


def logged_keys(connection: Connection, log: Table, since: int, after: Key | None, max_keys: int) -> list[Key]:
    """The first keys above `after` that were logged in the turn `since` or later, in their order."""
    values: dict[str, Any] = {"limit": max_keys, "since": since} | ({} if after is None else _bound("after", after))
    above = "" if after is None else f"AND ({_key(log)}) > ({_parameters(log, 'after')}) "
    statement = f"SELECT {_key(log)} FROM {log.name} WHERE turn >= :since {above}ORDER BY {_key(log)} LIMIT :limit"
    return connection.execute(statement, values).fetchall()


def count_logged(connection: Connection, logs: Iterable[Table], since: int) -> int:
    """How many keys were logged in the turn `since` or later."""
    counts = (f"SELECT count(*) FROM {log.name} WHERE turn >= :since" for log in logs)
    return sum(connection.execute(statement, {"since": since}).fetchone()[0] for statement in counts)


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
