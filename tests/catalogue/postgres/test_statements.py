"""Every statement that both databases have, as PostgreSQL reads it."""

import re
from typing import Any

import psycopg
import pytest

from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.postgres.dialect import translated
from appliance.catalogue.sql import (
    ban_statements,
    node_statements,
    overdue_statements,
    statements,
    unshipped_statements,
)
from appliance.catalogue.sql.rows import COLUMNS
from tests.support.rows import image, slug

STATEMENTS = {
    name: text
    for name, text in (
        vars(statements)
        | vars(ban_statements)
        | vars(node_statements)
        | vars(overdue_statements)
        | vars(unshipped_statements)
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


_COPIES = """
    INSERT INTO images ({columns}, prewarmed, sidecar_due, erasing)
    SELECT {others}, 'copy-' || lpad(number::text, 6, '0'), CASE WHEN number % 20 = 0 THEN 'spool' ELSE 'store' END,
    CASE WHEN number % 20 = 0 THEN 'box-' || (number / 20 % 3) END, 1, 0, 0
    FROM images, generate_series(1, 20000) AS number WHERE slug = '{slug}'"""

_END = "UPDATE images SET ended = 'deleted', erase_after_s = extract(epoch FROM now()) + 100000 + random() * 10000"


@pytest.mark.parametrize(
    "name", ["UNSHIPPED", "UNSHIPPED_SLUGS", "NEXT_UNSHIPPED_NODE", "COUNT_UNSHIPPED_OF_NODE", "RESTORABLE_OF_NODE"]
)
async def test_a_node_reads_only_its_own_rows_of_those_that_wait(
    url: str, catalogue: PostgresCatalogue, name: str
) -> None:
    await catalogue.images.add(image(0))
    others = ", ".join(column for column in COLUMNS if column not in {"slug", "location", "node"})
    copies = _COPIES.format(columns=f"{others}, slug, location, node", others=others, slug=slug(0))
    index = "images_unshipped"
    with psycopg.connect(url) as connection:
        connection.execute(copies.encode())
        if name == "RESTORABLE_OF_NODE":
            connection.execute(_END)
            index = "images_ended_unshipped"
        connection.execute("ANALYZE images")
        values = {"node": "box-1", "after": "copy-000100", "limit": 10, "cap": 10}
        lines = connection.execute(b"EXPLAIN " + translated(STATEMENTS[name]), values).fetchall()
    plan = "\n".join(line for (line,) in lines)
    assert f" {index} " in plan
    assert "Index Cond: (" in plan
    assert "COALESCE(node" in plan.split("Index Cond:")[1]
    assert "Sort" not in plan
    assert "Seq Scan" not in plan
