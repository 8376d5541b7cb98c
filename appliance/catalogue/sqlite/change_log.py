"""The log of changes in a file: triggers that put the keys of changed rows into tables of their own.

Only the connection that writes may make it: a second one that writes could damage the file (see `connections`). A
trigger removes a key and adds it again, because the conflict clause of a statement would replace that of an insert
in its triggers (`INSERT OR IGNORE`), and the key would keep its old turn.
"""
# ruff: noqa: S608  (only names from the schema are put into the text)

from functools import cache

from appliance.catalogue.moving import Table
from appliance.catalogue.sql.change_log import MAKE_TURNS, TURNS, TURNS_COLUMNS, LogSchema, log_table, make_log_table
from appliance.catalogue.sqlite.tables import catalogue_tables

_NEXT = f"(SELECT coalesce(max(turn), 0) + 1 FROM {TURNS})"
_BEGIN_TURN = f"INSERT INTO {TURNS} ({TURNS_COLUMNS}) VALUES ({_NEXT}, :token, :schema, :now_s)"


@cache
def file_log() -> LogSchema:
    """The log in the words of SQLite."""
    tables = {TURNS: MAKE_TURNS} | {log_table(table).name: make_log_table(table) for table in catalogue_tables()}
    triggers = {name: text for table in catalogue_tables() for name, text in _triggers(table).items()}
    names = ", ".join(f"'{name}'" for name in (*tables, *triggers))
    make = (*tables.values(), *triggers.values())
    return LogSchema(
        tables=frozenset([*(table.name for table in catalogue_tables()), *tables]),
        make=make,
        remove=(
            *(f"DROP TRIGGER IF EXISTS {name}" for name in triggers),
            *(f"DROP TABLE IF EXISTS {name}" for name in tables),
        ),
        begin_turn=(_BEGIN_TURN,),
        find=f"SELECT sql FROM sqlite_schema WHERE name IN ({names})",
        expected=frozenset(make),
    )


def _triggers(table: Table) -> dict[str, str]:
    """The statements that make the triggers of a table, by their names."""
    old, new = (", ".join(f"{row}.{name}" for name in table.key) for row in ("OLD", "NEW"))
    name, columns = table.name, ", ".join(table.key)
    return {
        f"log_insert_{name}": f"CREATE TRIGGER log_insert_{name} AFTER INSERT ON {name} {_logging(table, 'NEW')}",
        f"log_update_{name}": f"CREATE TRIGGER log_update_{name} AFTER UPDATE ON {name} {_logging(table, 'NEW')}",
        f"log_rename_{name}": f"CREATE TRIGGER log_rename_{name} AFTER UPDATE OF {columns} ON {name} "
        f"WHEN ({old}) <> ({new}) {_logging(table, 'OLD')}",
        f"log_delete_{name}": f"CREATE TRIGGER log_delete_{name} AFTER DELETE ON {name} {_logging(table, 'OLD')}",
    }


def _logging(table: Table, row: str) -> str:
    log = log_table(table)
    key = ", ".join(f"{row}.{name}" for name in table.key)
    is_same = " AND ".join(f"{name} = {row}.{name}" for name in table.key)
    return (
        f"BEGIN DELETE FROM {log.name} WHERE {is_same}; "
        f"INSERT INTO {log.name} ({', '.join(log.columns)}) VALUES ({key}, (SELECT max(turn) FROM {TURNS})); END"
    )
