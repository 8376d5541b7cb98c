"""Rows in every table of a catalogue, made from the schema so that a new column is never left out, and their copies."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from appliance.catalogue.sqlite.connections import open_writer
from appliance.catalogue.sqlite.tables import catalogue_tables
from appliance.cli import main

SOUND_IMAGES = """
    UPDATE images SET ended = NULL, ended_s = NULL, erase_after_s = NULL, erasing = 0, location = 'store',
    bytes = 1, width = 1, height = 1, frames = 1, version = 1"""
_TYPES = 'SELECT name, type, "notnull" FROM pragma_table_info(?)'


def fill_all_tables(path: Path, rows: int, seed: int = 7) -> None:
    """Put so many rows into each table of the file, which is made where there is none."""
    chance = random.Random(seed)
    with closing(open_writer(path)) as connection:
        connection.execute("BEGIN")
        for table in catalogue_tables():
            columns = connection.execute(_TYPES, (table.name,)).fetchall()
            places = ", ".join("?" * len(columns))
            connection.executemany(
                f"INSERT INTO {table.name} VALUES ({places})",
                ([_value(chance, *column) for column in columns] for _ in range(rows)),
            )
        connection.execute("COMMIT")


def fill_with_sound_rows(path: Path, rows: int) -> None:
    """The same with images that pass the check of a catalogue."""
    fill_all_tables(path, rows)
    changed(path, SOUND_IMAGES)


def all_rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, by the table's name, in the order of the keys."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return {
            table.name: connection.execute(
                f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {', '.join(table.key)}"
            ).fetchall()
            for table in catalogue_tables()
        }


def _value(chance: random.Random, name: str, kind: str, is_required: int) -> object:
    if not is_required and chance.random() < 0.3:
        return None
    match kind:
        case "INTEGER":
            return chance.randrange(-(2**63), 2**63)
        case "BLOB":
            return chance.randbytes(chance.randrange(8, 40))
        case "TEXT":
            return "".join(chance.choice("aZ0 \t\n\\N'\"%{}ß猫🙂~") for _ in range(chance.randrange(12, 40)))
        case _:
            raise AssertionError(f"{name} has a new type, {kind}")


def to(destination: str) -> int:
    """Copy the catalogue of the environment's host there."""
    return main(["catalogue", "copy", "--to", destination])


def back_to(path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Copy from the database to a file, as a host that uses the database."""
    with monkeypatch.context() as patch:
        patch.setenv("APPLIANCE_CATALOGUE_URL", url)
        return to(f"sqlite:{path}")


def asked(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What the database answers to a statement."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def changed(file: Path, statement: str) -> None:
    """Change a file that no server has open."""
    with closing(open_writer(file)) as connection:
        connection.execute(statement)
