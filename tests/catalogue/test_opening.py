import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.lock_mark import LOCKS_IN_USE
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.rows import COLUMNS
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.connections import open_writer, require_sqlite
from appliance.catalogue.sqlite.file import CatalogueFile
from appliance.catalogue.sqlite.migrations import migrate, migrations
from appliance.domain.errors import CatalogueDamaged, CatalogueTooNew, CatalogueUnavailable, UnfitInstallation
from appliance.domain.model import Image
from tests.support.rows import image, slug


def _schema(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


async def test_the_folder_of_the_catalogue_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "catalogue.db"
    async with SqliteCatalogue(path) as catalogue:
        await catalogue.images.add(image())
    assert await CatalogueFile(path).find_rows([slug(0)]) == {slug(0): image()}


def test_the_table_has_a_column_for_each_field_of_an_image(path: Path) -> None:
    connection = open_writer(path)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(images)")]
    assert sorted(columns) == sorted([*COLUMNS, "prewarmed", "sidecar_due", "erasing"])  # later ones stand last
    connection.close()


def test_migrating_twice_changes_nothing(path: Path) -> None:
    connection = open_writer(path)
    before = _schema(connection)
    migrate(connection)
    assert _schema(connection) == before
    connection.close()


@pytest.mark.parametrize("done", [migration.name for migration in migrations.pending(Database(memory=True))])
async def test_a_file_of_any_earlier_release_is_brought_up(path: Path, done: str) -> None:
    whole = open_writer(path.with_name("whole.db"))
    old = sqlite3.connect(path)
    migrations.apply(Database(old), stop_before=done)
    old.close()
    async with SqliteCatalogue(path) as catalogue:
        await catalogue.images.add(image())
        assert await CatalogueFile(path).find_problems() == []
    connection = open_writer(path)
    assert _schema(connection) == _schema(whole)
    connection.close()
    whole.close()


def migrate_as_a_newer_release(path: Path, name: str, statement: str) -> None:
    connection = open_writer(path)
    connection.execute(statement)
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('catalogue', ?, 'x')", [name]
    )
    connection.close()


async def test_a_catalogue_that_a_newer_release_changed_is_refused(path: Path) -> None:
    migrate_as_a_newer_release(path, "9999-later!", "ALTER TABLE images RENAME COLUMN alt TO words")
    with pytest.raises(CatalogueTooNew, match="9999-later!"):
        await SqliteCatalogue(path).start()


async def test_the_first_lock_keeps_older_releases_out(path: Path) -> None:
    def refusing() -> list[str]:
        with closing(sqlite3.connect(path)) as connection:
            return [name for (name,) in connection.execute("SELECT name FROM _sqlite_migrations WHERE name LIKE '%!'")]

    async with SqliteCatalogue(path) as catalogue:
        await catalogue.images.add(image())
        assert refusing() == []
        for lock in ("a lock", "another", None):
            row = await catalogue.images.get(slug(0))
            assert isinstance(row, Image)
            await catalogue.images.change(slug(0), version=row.version, lock=lock)
    assert refusing() == [LOCKS_IN_USE]
    async with SqliteCatalogue(path) as catalogue:
        assert await catalogue.images.get(slug(0)) is not None


async def test_a_catalogue_that_a_newer_release_only_added_to_is_worked_on_with(path: Path) -> None:
    migrate_as_a_newer_release(path, "9999-later", "ALTER TABLE images ADD COLUMN owner TEXT NOT NULL DEFAULT ''")
    async with SqliteCatalogue(path) as catalogue:
        await catalogue.images.add(image())
        assert await CatalogueFile(path).find_problems() == []


async def test_a_file_that_is_no_database_is_called_damaged_and_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"not a database " * 1000)
    with pytest.raises(CatalogueDamaged, match="appliance catalogue rebuild"):
        await SqliteCatalogue(path).start()
    assert path.read_bytes() == b"not a database " * 1000


async def test_a_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE songs (name)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(CatalogueUnavailable, match="another program"):
        await SqliteCatalogue(path).start()
    assert path.read_bytes() == before
    assert await CatalogueFile(path).find_problems() == ["The file is not a catalogue of this appliance."]


async def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CatalogueUnavailable, match="data_dir"):
        await SqliteCatalogue(tmp_path / "file" / "catalogue.db").start()


async def test_checking_a_file_that_is_absent_makes_none(path: Path) -> None:
    with pytest.raises(CatalogueUnavailable):
        await CatalogueFile(path).find_problems()
    assert not path.exists()


def test_an_old_sqlite_is_refused() -> None:
    with pytest.raises(UnfitInstallation):
        require_sqlite((3, 37, 2))


async def test_damage_in_the_middle_of_the_file_is_found(path: Path) -> None:
    async with SqliteCatalogue(path) as catalogue:
        for number in range(1000):
            await catalogue.images.add(image(number))
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)  # beyond the schema's pages, which come first
        file.write(b"\xff" * 4096 * 10)
    assert any("damaged" in line for line in await CatalogueFile(path).find_problems())


async def test_rows_that_make_no_sense_are_told_by_name(catalogue: SqliteCatalogue, path: Path) -> None:
    for number in range(4):
        await catalogue.images.add(image(number))

    def spoil(connection: Connection) -> Outcome[None]:
        connection.execute("UPDATE images SET ended_s = 1 WHERE slug = :slug", {"slug": slug(0)})
        connection.execute("UPDATE images SET erasing = 1 WHERE slug = :slug", {"slug": slug(1)})
        connection.execute("UPDATE images SET width = 0 WHERE slug = :slug", {"slug": slug(2)})
        values = {"slug": slug(3)}
        connection.execute("INSERT INTO tombstones (slug, ended, ended_s) VALUES (:slug, 'deleted', 1)", values)
        return Outcome(None)

    await catalogue.writer.run(spoil)
    problems = await CatalogueFile(path).find_problems()  # while a server has it open
    assert [line.split()[1] for line in problems] == [slug(number) for number in range(4)]
