"""The log of changes in a database: its tables, what is asked of it, and how it is begun and ended."""
# ruff: noqa: S608  (only names from the schema are put into the text; values are always bound)

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from appliance.catalogue.change_log import CopyProgress, Turn
from appliance.catalogue.moving import Table
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.schema import MIGRATIONS
from appliance.catalogue.sql.writer import Writer
from appliance.domain.clock import Clock

TURNS = "copy_turns"
TURNS_COLUMNS = "turn, token, schema, began_s"
MAKE_TURNS = (
    f"CREATE TABLE {TURNS} (turn INTEGER NOT NULL PRIMARY KEY, token TEXT NOT NULL, schema TEXT NOT NULL, "
    "began_s INTEGER NOT NULL)"
)
HAS_TURNS = f"SELECT count(*) FROM sqlite_schema WHERE name = '{TURNS}'"
_TURN_OF = f"SELECT turn FROM {TURNS} WHERE token = :token AND schema = :schema"
_BEGAN = f"SELECT min(began_s) FROM {TURNS}"


@dataclass(frozen=True, slots=True)
class LogSchema:
    """The log in the words of one database: the tables that it is of and those that it has; statements that make it,
    that remove what there is of it, and that begin a turn; a query for the definitions of all that there is, and those
    that it has to find.
    """

    tables: frozenset[str]
    make: tuple[str, ...]
    remove: tuple[str, ...]
    begin_turn: tuple[str, ...]
    find: str
    expected: frozenset[str]


class ChangeLogRows:
    """`ChangeLog`."""

    def __init__(self, writer: Writer, schema: Callable[[], LogSchema], clock: Clock) -> None:
        self._writer = writer
        self._schema = schema
        self._clock = clock

    async def begin_turn(self) -> Turn:
        now_s = int(self._clock())
        return await self._writer.run(lambda connection: Outcome(begin_turn(connection, self._schema(), now_s)))

    async def end(self) -> None:
        await self._writer.run(self._end)

    def _end(self, connection: Connection) -> Outcome[None]:
        end_log(connection, self._schema())
        return Outcome(None)


def log_table(table: Table) -> Table:
    """Where the keys of this table's changed rows are logged."""
    return replace(table, name=f"changed_{table.name}", columns=(*table.key, "turn"))


def make_log_table(table: Table) -> str:
    """The statement that makes it."""
    columns = ", ".join(f"{name} {kind} NOT NULL" for name, kind in zip(table.key, table.key_types, strict=True))
    key = ", ".join(table.key)
    return f"CREATE TABLE {log_table(table).name} ({columns}, turn INTEGER NOT NULL, PRIMARY KEY ({key})) WITHOUT ROWID"


def begin_turn(connection: Connection, schema: LogSchema, now_s: int) -> Turn:
    """Log in a new turn what changes from now on, in the caller's transaction. A log with gaps is made again, empty."""
    if not is_sound(connection, schema):
        end_log(connection, schema)
        for statement in schema.make:
            connection.execute(statement)
    token = secrets.token_hex(16)
    values = {"token": token, "schema": MIGRATIONS[-1].name, "now_s": now_s}
    for statement in schema.begin_turn:
        connection.execute(statement, values)
    number = _number_of(connection, token)
    assert number is not None
    return Turn(number, token)


def end_log(connection: Connection, schema: LogSchema) -> None:
    """Remove the log, in the caller's transaction."""
    if _found(connection, schema):
        for statement in schema.remove:
            connection.execute(statement)


def is_sound(connection: Connection, schema: LogSchema) -> bool:
    """Whether all tables and triggers of the log are there, as this release makes them."""
    return _found(connection, schema) == schema.expected


def knows(connection: Connection, progress: CopyProgress) -> bool:
    """Whether the log of this catalogue has what changed since a copy had this progress, with the same schema."""
    return progress.whole is not None and all(
        _number_of(connection, token) is not None for token in (progress.whole.token, progress.touched) if token
    )


def log_began_s(connection: Connection) -> int | None:
    """Since when changes are logged, in unix seconds; None if they aren't."""
    [is_there] = connection.execute(HAS_TURNS).fetchone()
    return connection.execute(_BEGAN).fetchone()[0] if is_there else None


def names_of(tables: Iterable[Table]) -> list[str]:
    """The names of the tables that the log has."""
    return [TURNS, *(log_table(table).name for table in tables)]


def _found(connection: Connection, schema: LogSchema) -> set[str]:
    return {definition for (definition,) in connection.execute(schema.find)}


def _number_of(connection: Connection, token: str) -> int | None:
    row = connection.execute(_TURN_OF, {"token": token, "schema": MIGRATIONS[-1].name}).fetchone()
    return None if row is None else int(row[0])
