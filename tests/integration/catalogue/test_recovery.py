"""Backups of a real database with rows in every table, and what is restored from them."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from appliance.catalogue.opening import FILE_NAME, copy_to_file
from appliance.catalogue.postgres import writing
from appliance.catalogue.postgres.dialect import MIGRATIONS_TABLE
from appliance.cli import main
from appliance.config.model import CatalogueConfig, Config
from tests.support.backups import backups_in
from tests.support.full_catalogue import all_rows, asked, fill_with_sound_rows, to
from tests.support.killed_copies import locked, made, waits_for_a_lock

ROWS = 50
LoseDatabase = Callable[[], str]
Rows = dict[str, list[tuple[Any, ...]]]
LOCK_NOTES = "LOCK TABLE notes IN ACCESS EXCLUSIVE MODE"


pytestmark = pytest.mark.usefixtures("places")


@pytest.fixture
def before(moved: Config, url: str, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """The rows of the commands' host, whose catalogue is in the database."""
    file = moved.data_dir / FILE_NAME
    fill_with_sound_rows(file, ROWS)
    assert to(url) == 0
    rows = all_rows(file)
    for path in moved.data_dir.glob(f"{FILE_NAME}*"):
        path.unlink()
    monkeypatch.setenv("APPLIANCE_CATALOGUE_URL", url)
    return rows


def rows_in_database(folder: Path) -> Rows:
    """Every row of the commands' host."""
    copy = folder / "looked-at.sqlite"
    copy.unlink(missing_ok=True)
    assert main(["catalogue", "backup", str(copy)]) == 0
    return all_rows(copy)


def test_every_row_of_a_backup_comes_back_into_an_empty_database(
    before: Rows,
    moved: Config,
    lose_database: LoseDatabase,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["backup"]) == 0
    assert f": {ROWS} images, {ROWS} albums, " in capsys.readouterr().out
    lose_database()
    assert main(["restore", "--backup-alone"]) == 0
    told = capsys.readouterr().out
    assert f"Copied to the database postgres at 127.0.0.1: {ROWS * len(before):,} rows" in told
    assert f"the database postgres at 127.0.0.1 has {ROWS} images and passed its check. Start the server." in told
    assert rows_in_database(tmp_path) == before
    assert not moved.restore_dir.exists()
    assert not (moved.data_dir / FILE_NAME).exists()


def test_a_copy_of_a_database_is_one_file_for_its_owner_alone(before: Rows, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    assert main(["catalogue", "backup", str(folder / "copy.sqlite")]) == 0
    assert backups_in(folder) == ["copy.sqlite"]
    assert (folder / "copy.sqlite").stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(folder / "copy.sqlite")) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_backup_of_either_kind_is_restored_as_the_other(
    before: Rows, moved: Config, lose_database: LoseDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["backup"]) == 0
    monkeypatch.delenv("APPLIANCE_CATALOGUE_URL")
    assert main(["restore", "--backup-alone"]) == 0
    assert all_rows(moved.data_dir / FILE_NAME) == before
    assert main(["catalogue", "backup", str(tmp_path / "copy.sqlite")]) == 0
    lose_database()
    assert main(["restore", "--backup-alone", "--from", str(tmp_path / "copy.sqlite")]) == 0
    assert rows_in_database(tmp_path) == before


def test_a_backup_of_the_release_before_is_restored_into_a_database(
    before: Rows, lose_database: LoseDatabase, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.sqlite"
    assert main(["catalogue", "backup", str(copy)]) == 0
    with closing(sqlite3.connect(copy)) as older, older:
        older.execute("DROP TABLE revisions")
        older.execute("DELETE FROM _sqlite_migrations WHERE name = '0024-revisions'")
    lose_database()
    assert main(["restore", "--backup-alone", "--from", str(copy)]) == 0
    assert rows_in_database(tmp_path) == before | {"revisions": []}


@pytest.mark.parametrize("command", [["restore"], ["catalogue", "rebuild"]], ids=" ".join)
def test_a_database_with_rows_is_not_replaced(
    before: Rows, moved: Config, tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup"]) == 0
    assert main(command) == 1
    told = capsys.readouterr().err
    assert "has rows already (in the table albums)" in told
    assert "`dropdb`" in told
    assert rows_in_database(tmp_path) == before
    assert not moved.restore_dir.exists()


async def test_an_empty_schema_of_an_older_release_is_a_place_for_a_restore(
    before: Rows, lose_database: LoseDatabase, tmp_path: Path
) -> None:
    assert await asyncio.to_thread(main, ["backup"]) == 0
    older = lose_database()
    await made(older)
    asked(older, "DROP TABLE revisions")
    asked(older, f"DELETE FROM {MIGRATIONS_TABLE} WHERE name = '0024-revisions'")
    assert await asyncio.to_thread(main, ["restore", "--backup-alone"]) == 0
    assert await asyncio.to_thread(rows_in_database, tmp_path) == before


def test_a_database_that_a_server_uses_is_left_alone(
    before: Rows,
    lose_database: LoseDatabase,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["backup"]) == 0
    other = lose_database()
    monkeypatch.setattr(writing, "OWNED_WITHIN_S", 0)
    with psycopg.connect(other) as elsewhere:
        elsewhere.execute("SELECT pg_advisory_lock_shared(1095780675, hashtext(current_schema()))")
        assert main(["restore", "--backup-alone"]) == 1
        assert "A server or another copy uses the database" in capsys.readouterr().err
    assert asked(other, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()") == []


def test_a_restore_that_finds_no_backup_changes_nothing_in_the_database(
    moved: Config, lose_database: LoseDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    url = lose_database()
    assert main(["restore"]) == 1
    assert "There is no complete backup" in capsys.readouterr().err
    assert asked(url, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()") == []
    assert not moved.restore_dir.exists()


async def test_what_changes_during_a_backup_is_not_in_it(before: Rows, moved: Config, url: str, tmp_path: Path) -> None:
    on_database = Config(data_dir=moved.data_dir, catalogue=CatalogueConfig(url=url))
    with locked(url, LOCK_NOTES):
        copying = asyncio.create_task(copy_to_file(on_database, tmp_path / "copy.sqlite"))
        await waits_for_a_lock(url)
        asked(url, "DELETE FROM tombstones")
        asked(url, "UPDATE images SET title = 'newer'")
    copy = await copying
    assert all_rows(copy.path) == before
    assert await copy.find_problems() == []


async def test_a_backup_that_is_cancelled_ends_soon_and_leaves_nothing(
    before: Rows, moved: Config, url: str, tmp_path: Path
) -> None:
    on_database = Config(data_dir=moved.data_dir, catalogue=CatalogueConfig(url=url))
    folder = tmp_path / "copies"
    folder.mkdir()
    with locked(url, LOCK_NOTES):
        copying = asyncio.create_task(copy_to_file(on_database, folder / "copy.sqlite"))
        await waits_for_a_lock(url)
        copying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await copying
    await asyncio.get_running_loop().shutdown_default_executor()
    assert backups_in(folder) == []
