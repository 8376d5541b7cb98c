"""The log of changes in a file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.catalogue.sql.change_log import begin_turn, end_log, is_sound
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.change_log import file_log
from appliance.catalogue.sqlite.connections import open_writer
from appliance.catalogue.sqlite.file import CatalogueFile

LOGGED = "SELECT name, turn FROM changed_notes ORDER BY name"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite"


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_writer(path)) as connection:
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR IGNORE INTO notes VALUES ('a', 'b')",
        "INSERT OR REPLACE INTO notes VALUES ('a', 'b')",
        "INSERT INTO notes VALUES ('a', 'b') ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    ],
)
def test_a_key_has_its_last_turn_whatever_the_statement_does_in_a_conflict(
    writer: sqlite3.Connection, statement: str
) -> None:
    begin_turn(writer, file_log(), 0)
    writer.execute("INSERT INTO notes VALUES ('a', 'a')")
    writer.execute("DELETE FROM notes")
    begin_turn(writer, file_log(), 0)
    writer.execute(statement)
    begin_turn(writer, file_log(), 0)
    writer.execute(statement)
    is_ignored = "IGNORE" in statement
    assert writer.execute(LOGGED).fetchall() == [("a", 2 if is_ignored else 3)]


def test_a_log_has_each_key_once_and_no_rest_at_its_end(writer: sqlite3.Connection) -> None:
    before = writer.execute("SELECT * FROM sqlite_schema").fetchall()
    begin_turn(writer, file_log(), 0)
    for number in range(20):
        writer.execute("INSERT INTO notes VALUES (?, 'x') ON CONFLICT DO UPDATE SET value = 'y'", (number % 2,))
    assert writer.execute(LOGGED).fetchall() == [("0", 1), ("1", 1)]
    assert is_sound(writer, file_log())
    end_log(writer, file_log())
    assert [row[:3] for row in writer.execute("SELECT * FROM sqlite_schema")] == [row[:3] for row in before]


async def test_a_check_accepts_the_log_and_no_other_trigger(path: Path) -> None:
    async with SqliteCatalogue(path) as catalogue:
        await catalogue.change_log.begin_turn()
        assert await CatalogueFile(path).find_problems() == []
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER log_insert_notes")
        connection.execute("CREATE TRIGGER log_insert_notes AFTER INSERT ON notes BEGIN DELETE FROM images; END")
    assert "trigger 'log_insert_notes'" in (await CatalogueFile(path).find_problems())[0]


async def test_a_restored_file_has_no_log(path: Path) -> None:
    async with SqliteCatalogue(path, clock=lambda: 7.0) as catalogue:
        await catalogue.change_log.begin_turn()
    assert await CatalogueFile(path).logged_since_s() == 7
    async with CatalogueFile(path).merge():
        pass
    assert await CatalogueFile(path).logged_since_s() is None


def test_a_log_of_another_schema_is_made_again(writer: sqlite3.Connection) -> None:
    begin_turn(writer, file_log(), 0)
    writer.execute("DROP TABLE changed_notes")
    assert not is_sound(writer, file_log())
    assert begin_turn(writer, file_log(), 0).number == 1
    assert is_sound(writer, file_log())
