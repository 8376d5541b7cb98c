"""Makes a migration in a database that others use meanwhile, so that neither their views nor their changes wait for it.

Indexes of tables that were there before are built outside of any turn and transaction, next to the former one of their
name. The rest is done in turns that give up before anybody queues behind them.
"""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg.errors import DeadlockDetected, LockNotAvailable

from appliance.catalogue.postgres.connections import PostgresConnection
from appliance.catalogue.postgres.dialect import MIGRATIONS_TABLE, translated_schema
from appliance.catalogue.postgres.ownership import Ownership, take_turn
from appliance.catalogue.sql.marks import without_indexes
from appliance.catalogue.sql.migration import Migration
from appliance.domain.errors import SchemaInUse

Report = Callable[[str | None], None]
"""Called with what a change of the schema does that may take long, in words, and with None after it."""
_TABLE = re.compile(r"\s*CREATE TABLE (\w+)")
_INDEX = re.compile(r"\s*CREATE INDEX (\w+) ON (\w+) ")
_DROPPED_INDEX = re.compile(r"\s*DROP INDEX (\w+)")
_ALTERED = re.compile(r"\s*ALTER TABLE (\w+)")
_TABLE_OF_INDEX = "SELECT indrelid::regclass::text FROM pg_index WHERE indexrelid = to_regclass(%(name)s)"
_APPLY = f"INSERT INTO {MIGRATIONS_TABLE} (name) VALUES (%(name)s)".encode()  # noqa: S608
_FORGET = f"DELETE FROM {MIGRATIONS_TABLE} WHERE name = %(name)s".encode()  # noqa: S608
_IS_VALID = """
    SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relname = %(name)s AND relnamespace = current_schema()::regnamespace"""
_LIMITS = ("statement_timeout", "lock_timeout")
_SET_LIMIT = b"SELECT set_config(%(name)s, %(value)s, false)"


class _Statements:
    """A `Schema` that remembers what it would execute."""

    def __init__(self, migration: Migration) -> None:
        self.all: list[str] = []
        migration.apply(self)

    def execute(self, statement: str, /) -> object:
        self.all.append(statement)
        return None


@dataclass(frozen=True, slots=True)
class _Index:
    """An index to build. Until all of its migration is done it has a name of its own."""

    name: str
    table: str
    definition: str

    @property
    def building(self) -> str:
        return f"{self.name}_building"


@dataclass(frozen=True, slots=True)
class _Steps:
    """A migration's statements by when they are made: before its indexes are built, and after that."""

    first: list[str]
    indexes: list[_Index]
    last: list[str]


def apply_at_once(connection: PostgresConnection, migration: Migration) -> None:
    """Make a migration of a catalogue that nobody uses yet. Raises psycopg.Error."""
    with connection.raw.transaction():
        for statement in _Statements(migration).all:
            connection.raw.execute(translated_schema(statement))
        connection.raw.execute(_APPLY, {"name": migration.name})


def apply_among_others(
    connection: PostgresConnection,
    ownership: Ownership,
    migration: Migration,
    applied: Collection[str],
    report: Report,
) -> None:
    """Make a migration, or what is left of it after a crash. Raises SchemaInUse to be called again, psycopg.Error."""
    steps, begun = _steps_of(migration), without_indexes(migration.name)
    if not steps.indexes:
        with ownership.migrating(connection):
            _in_turn(connection, [*steps.first, *steps.last], add=migration.name)
        return
    if steps.first and begun not in applied:
        with ownership.migrating(connection):
            _in_turn(connection, steps.first, add=begun)
    for index in steps.indexes:
        _build(connection, index, report)
    renamed = [f"ALTER INDEX {index.building} RENAME TO {index.name}" for index in steps.indexes]
    with ownership.migrating(connection):
        _in_turn(connection, [*steps.last, *renamed], add=migration.name, remove=begun)


def _steps_of(migration: Migration) -> _Steps:
    steps, made = _Steps([], [], []), set[str]()
    for statement in _Statements(migration).all:
        if (table := _TABLE.match(statement)) is not None:
            made.add(table[1])
        if (index := _INDEX.match(statement)) is not None and index[2] not in made:
            steps.indexes.append(_Index(index[1], index[2], statement[index.end() :]))
        elif _DROPPED_INDEX.match(statement):
            steps.last.append(statement)
        else:
            steps.first.append(statement)
    return steps


def _in_turn(connection: PostgresConnection, statements: list[str], *, add: str, remove: str = "") -> None:
    """In the turn of those who write. Raises SchemaInUse."""
    try:
        with connection.raw.transaction():
            take_turn(connection, _tables_of(connection, statements))
            for statement in statements:
                connection.raw.execute(translated_schema(statement))
            connection.raw.execute(_FORGET, {"name": remove})
            connection.raw.execute(_APPLY, {"name": add})
    except (LockNotAvailable, DeadlockDetected) as error:
        raise SchemaInUse(
            "This release changes the schema of the catalogue, and can't as long as something else reads its tables, "
            "such as pg_dump, a backup or autovacuum. Nobody else waits for it. A server tries again until it can."
        ) from error


def _tables_of(connection: PostgresConnection, statements: list[str]) -> set[str]:
    """Those that the statements change, and that were there before."""
    made, altered = (
        {table[1] for statement in statements if (table := pattern.match(statement)) is not None}
        for pattern in (_TABLE, _ALTERED)
    )
    tables = altered - made
    for statement in statements:
        if (index := _DROPPED_INDEX.match(statement)) is not None:
            tables |= {table for (table,) in connection.raw.execute(_TABLE_OF_INDEX, {"name": index[1]})}
    return tables


def _build(connection: PostgresConnection, index: _Index, report: Report) -> None:
    """Build the index while others write, unless it is there already. What a crash has left half built goes first."""
    if (row := connection.raw.execute(_IS_VALID, {"name": index.building}).fetchone()) is not None and row[0]:
        return
    report(
        f"This release builds the index {index.name} of the catalogue. Others read and write meanwhile. It waits for "
        "transactions that began before, such as those of pg_dump and of backups."
    )
    try:
        with _without_limits(connection):
            connection.raw.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.building}".encode())
            connection.raw.execute(
                translated_schema(f"CREATE INDEX CONCURRENTLY {index.building} ON {index.table} {index.definition}")
            )
    finally:
        report(None)


@contextmanager
def _without_limits(connection: PostgresConnection) -> Iterator[None]:
    """A build takes as long as its table is large, and a timeout would leave it half done.

    A session whose statements have no limit keeps the one for locks, which it has chosen for that.
    """
    before = {name: connection.raw.execute(f"SHOW {name}".encode()).fetchone() for name in _LIMITS}
    if before["statement_timeout"] == ("0",):
        yield
        return
    for name in _LIMITS:
        connection.raw.execute(_SET_LIMIT, {"name": name, "value": "0"})
    try:
        yield
    finally:
        if not connection.is_lost:
            for name, row in before.items():
                connection.raw.execute(_SET_LIMIT, {"name": name, "value": row[0] if row else "0"})
