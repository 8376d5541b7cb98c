"""The statements of the catalogue as PostgreSQL reads them: the few words that it has otherwise are replaced."""

import re
from functools import cache

from appliance.catalogue.sql import marks as sql
from appliance.catalogue.sql.change_log import HAS_TURNS, TURNS
from appliance.catalogue.sql.node_statements import NOW_S

MIGRATIONS_TABLE = "appliance_migrations"
_OWN_TEXTS = {
    sql.MARK: f"INSERT INTO {MIGRATIONS_TABLE} (name) VALUES (:name) ON CONFLICT (name) DO NOTHING",  # noqa: S608
    sql.UNMARK: f"DELETE FROM {MIGRATIONS_TABLE} WHERE name = :name",  # noqa: S608
    HAS_TURNS: f"SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = '{TURNS}'",  # noqa: S608
    sql.APPLIED: f"SELECT name FROM {MIGRATIONS_TABLE}",  # noqa: S608
}
_CLOCK = "extract(epoch FROM clock_timestamp())"
_PARAMETER = re.compile(r"(?<!:):([a-z_0-9]+)")
_INDEX_HINT = re.compile(r" INDEXED BY [a-z_]+")
_LARGER = re.compile(r"\bmax\((?=[^()]*,)")
_SMALLER = re.compile(r"\bmin\((?=[^()]*,)")
_JSON_LIST = re.compile(r"\bjson_each\(([^()]*)\)")
_TYPES = (
    (re.compile(r"\bTEXT\b"), 'TEXT COLLATE "C"'),  # slugs sort by their bytes, in every locale
    (re.compile(r"\bINTEGER\b"), "BIGINT"),
    (re.compile(r"\bBLOB\b"), "BYTEA"),
    (re.compile(r" WITHOUT ROWID"), ""),
    (re.compile(r"\bx''"), "''"),
)


@cache
def translated(statement: str) -> bytes:
    """A statement with values, as the driver takes it. There is a fixed number of them, so all are kept."""
    text = _OWN_TEXTS.get(statement, statement)
    text = text.replace(NOW_S, _CLOCK)
    text = _INDEX_HINT.sub("", text)  # the planner has statistics here
    text = _LARGER.sub("greatest(", text)
    text = _SMALLER.sub("least(", text)
    text = _JSON_LIST.sub(r"json_array_elements_text(CAST(\1 AS json))", text)
    return _PARAMETER.sub(r"%(\1)s", text).encode()


def translated_schema(statement: str) -> bytes:
    """A statement of a migration."""
    for pattern, replacement in _TYPES:
        statement = pattern.sub(replacement, statement)
    return statement.encode()
