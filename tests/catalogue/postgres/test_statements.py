"""Every statement that both databases have, as PostgreSQL reads it."""

import re
from typing import Any

import psycopg

from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.postgres.dialect import translated
from appliance.catalogue.sql import ban_statements, node_statements, overdue_statements, statements

STATEMENTS = {
    name: text
    for name, text in (
        vars(statements) | vars(ban_statements) | vars(node_statements) | vars(overdue_statements)
    ).items()
    if name.isupper() and name[0] != "_" and name != "NOW_S" and isinstance(text, str)
}
WALKS = {"COUNT_IMAGES", "COUNT_TOMBSTONES", "COUNT_ALBUMS"}
VALUES = {"slugs": "[]", "limit": 1, "skipped": 0, "cap": 1}


def _plan(connection: "psycopg.Connection[tuple[Any, ...]]", statement: str) -> list[str]:
    values: dict[str, Any] = dict.fromkeys(re.findall(r"(?<!:):(\w+)", statement)) | VALUES
    return [line for (line,) in connection.execute(b"EXPLAIN " + translated(statement), values)]


async def test_each_statement_is_understood_and_reads_no_whole_table(url: str, catalogue: PostgresCatalogue) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET enable_sort = off")
        plans = {name: "\n".join(_plan(connection, text)) for name, text in STATEMENTS.items()}
        walking = _plan(connection, "SELECT * FROM images WHERE title = 'x'")
    assert len(plans) > 80
    assert {name: plan for name, plan in plans.items() if "Seq Scan" in plan and name not in WALKS} == {}
    assert "Seq Scan" in walking[0]
