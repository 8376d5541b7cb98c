import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.catalogue.sql import (
    ban_statements,
    node_statements,
    overdue_statements,
    parts_statements,
    statements,
    unshipped_statements,
)
from appliance.catalogue.sqlite import file_statements
from appliance.catalogue.sqlite.connections import open_writer

STATEMENTS = {
    name: text
    for name, text in (
        vars(statements)
        | vars(ban_statements)
        | vars(node_statements)
        | vars(overdue_statements)
        | vars(parts_statements)
        | vars(unshipped_statements)
        | vars(file_statements)
    ).items()
    if name.isupper() and name[0] != "_" and name != "NOW_S" and isinstance(text, str)
}
TABLES = (
    *("images", "tombstones", "tombstones_due", "idempotency", "notes", "uploads", "albums", "purges"),
    *("keys", "key_usage", "records_due", "bans", "nodes", "leases", "revisions"),
)
WALKS_BY_SLUG = {"PAGE", "NEWEST", "HALF_ENDED", "ERASING_ALIVE", "IMPOSSIBLE_FACTS", "LIVING_TOMBSTONES"}


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    opened = open_writer(path)
    yield opened
    opened.close()


def _plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    parameters = dict.fromkeys(re.findall(r":(\w+)", statement), "[]")
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]


def test_all_statements_are_looked_at() -> None:
    assert len(STATEMENTS) > 30
    assert STATEMENTS.keys() >= WALKS_BY_SLUG


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_searches_by_an_index_and_sorts_nothing(name: str, connection: sqlite3.Connection) -> None:
    for step in _plan(connection, STATEMENTS[name]):
        assert not re.match(rf"SCAN ({'|'.join(TABLES)})\b", step), step
        assert "TEMP B-TREE" not in step
        if re.match(r"SEARCH images\b.*slug[<>]\?", step) and "images_" not in step:
            assert name in WALKS_BY_SLUG, step


def test_a_statement_that_walks_a_table_would_be_found_out(connection: sqlite3.Connection) -> None:
    assert any(step.startswith("SCAN images") for step in _plan(connection, "SELECT * FROM images WHERE title = 'x'"))


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("UNSHIPPED", "images_unshipped (<expr>=? AND slug>?)"),
        ("UNSHIPPED_SLUGS", "images_unshipped (<expr>=?)"),
        ("NEXT_UNSHIPPED_NODE", "images_unshipped (<expr>>?)"),
        ("COUNT_UNSHIPPED_OF_NODE", "images_unshipped (<expr>=?)"),
        ("RESTORABLE_OF_NODE", "images_ended_unshipped (<expr>=? AND erase_after_s>?)"),
        ("UNWARMED", "images_unwarmed"),
        ("SIDECARS_DUE", "images_sidecar_due"),
        ("DUE", "images_due"),
        ("ERASABLE", "images_ended"),
        ("EXPIRE", "sqlite_autoindex_images_1"),
        ("FORGET_TOMBSTONES", "tombstones_by_time"),
        ("FORGET_IDEMPOTENCY", "idempotency_by_time"),
        ("UPLOAD_BY_SLUG", "uploads_by_slug"),
        ("UPLOADS_DUE", "uploads_receiving"),
        ("UPLOADS_DUE_AT", "uploads_receiving"),
        ("UNFINISHED_UPLOADS", "uploads_receiving"),
        ("FORGET_UPLOADS", "uploads_ended"),
        ("NEEDING_PARTS", "uploads_receiving"),
        ("NEEDING_PARTS", "images_unshipped"),
        ("NEEDING_PARTS", "images_ended_unshipped"),
        ("NEEDING_PARTS", "uploads_by_slug"),
        ("ALBUMS_DUE", "albums_due"),
        ("ALBUMS_ERASABLE", "albums_erasable"),
        ("FORGET_ALBUMS", "albums_erased"),
        ("ALBUM_SIDECARS_DUE", "albums_sidecar_due"),
        ("KEY_BY_NAME", "keys_by_name"),
        ("KEYS", "keys_by_time"),
    ],
)
def test_each_job_has_its_own_index(name: str, index: str, connection: sqlite3.Connection) -> None:
    assert any(index in step for step in _plan(connection, STATEMENTS[name]))


def test_the_statement_of_older_releases_still_finds_its_index(connection: sqlite3.Connection) -> None:
    former = """
        SELECT slug FROM images INDEXED BY images_unshipped
        WHERE location = 'spool' AND ended IS NULL AND slug > :after ORDER BY slug LIMIT :limit"""
    assert connection.execute(former, {"after": "", "limit": 1}).fetchall() == []
