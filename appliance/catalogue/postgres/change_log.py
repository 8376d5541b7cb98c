"""The log of changes in a database: triggers that put the keys of changed rows into tables of their own.

A transaction sees the rows of its beginning, and would log in a turn that is over. So the number of the turn is in a
sequence, which shows everybody its last value. A new turn begins once no transaction is open that has logged anything:
each has the table of turns locked for reading, from its first change to its end.
"""
# ruff: noqa: S608  (only names from the schema are put into the text)

from collections.abc import Sequence

from appliance.catalogue.change_log import Turn
from appliance.catalogue.moving import Table
from appliance.catalogue.postgres.connections import PostgresConnection
from appliance.catalogue.postgres.dialect import translated_schema
from appliance.catalogue.postgres.migrations import existing_tables
from appliance.catalogue.postgres.ownership import take_turn
from appliance.catalogue.sql.change_log import (
    MAKE_TURNS,
    TURNS,
    TURNS_COLUMNS,
    LogSchema,
    begin_turn,
    end_log,
    is_sound,
    log_table,
    make_log_table,
    names_of,
)

_NUMBER = "copy_turn_number"
_TRIGGER = "log_changes"
_OF_EVERY_ROW = 1 + 4 + 8 + 16  # pg_trigger.tgtype: after each row that is inserted, deleted or updated


def database_log(tables: Sequence[Table]) -> LogSchema:
    """The log of these tables in the words of PostgreSQL."""
    made = [MAKE_TURNS, *map(make_log_table, tables)]
    return LogSchema(
        tables=frozenset([*(table.name for table in tables), *names_of(tables)]),
        make=(
            *(translated_schema(statement).decode() for statement in made),
            f"CREATE SEQUENCE {_NUMBER}",
            *(statement for table in tables for statement in _make_trigger(table)),
        ),
        remove=(
            *(statement for table in tables for statement in _remove_trigger(table)),
            *(f"DROP TABLE IF EXISTS {name}" for name in names_of(tables)),
            f"DROP SEQUENCE IF EXISTS {_NUMBER}",
        ),
        begin_turn=(
            f"LOCK TABLE {TURNS} IN ACCESS EXCLUSIVE MODE",
            f"INSERT INTO {TURNS} ({TURNS_COLUMNS}) VALUES (nextval('{_NUMBER}'), :token, :schema, :now_s)",
        ),
        find=_find(tables),
        expected=frozenset([*names_of(tables), _NUMBER, *(f"{table.name}: {_body(table)}" for table in tables)]),
    )


def begin_turn_in(connection: PostgresConnection, schema: LogSchema, now_s: int) -> Turn:
    """Begin a turn, in a transaction. Raises psycopg.Error, also if the tables are in use: then nothing is changed."""
    with connection.raw.transaction():
        take_turn(connection, set() if is_sound(connection, schema) else schema.tables & existing_tables(connection))
        return begin_turn(connection, schema, now_s)


def end_log_in(connection: PostgresConnection, schema: LogSchema) -> None:
    """End the log, in a transaction. Raises psycopg.Error, also if the tables are in use: then nothing is changed."""
    with connection.raw.transaction():
        take_turn(connection, schema.tables & existing_tables(connection))
        end_log(connection, schema)


def _make_trigger(table: Table) -> tuple[str, str]:
    function = _function(table)
    return (
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${_body(table)}$$",
        f"CREATE TRIGGER {_TRIGGER} AFTER INSERT OR UPDATE OR DELETE ON {table.name} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}()",
    )


def _remove_trigger(table: Table) -> tuple[str, str]:
    return f"DROP TRIGGER IF EXISTS {_TRIGGER} ON {table.name}", f"DROP FUNCTION IF EXISTS {_function(table)}()"


def _function(table: Table) -> str:
    return f"log_change_of_{table.name}"


def _body(table: Table) -> str:
    old, new = (", ".join(f"{row}.{name}" for name in table.key) for row in ("OLD", "NEW"))
    return f"""
BEGIN
    LOCK TABLE {TURNS} IN ACCESS SHARE MODE;
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND ROW({old}) IS DISTINCT FROM ROW({new}) THEN
        {_logging(table, old)}
    END IF;
    IF TG_OP <> 'DELETE' THEN
        {_logging(table, new)}
    END IF;
    RETURN NULL;
END
"""


def _logging(table: Table, key: str) -> str:
    log = log_table(table)
    return (
        f"INSERT INTO {log.name} ({', '.join(log.columns)}) SELECT {key}, last_value FROM {_NUMBER} "
        f"ON CONFLICT ({', '.join(log.key)}) DO UPDATE SET turn = excluded.turn;"
    )


def _find(tables: Sequence[Table]) -> str:
    names = ", ".join(f"'{name}'" for name in (*names_of(tables), _NUMBER))
    return f"""
        SELECT relname::text FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relname IN ({names})
        UNION ALL
        SELECT relname || ': ' || prosrc FROM pg_trigger
        JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE relnamespace = current_schema()::regnamespace AND tgname = '{_TRIGGER}'
        AND tgtype = {_OF_EVERY_ROW} AND tgenabled IN ('O', 'A')"""
