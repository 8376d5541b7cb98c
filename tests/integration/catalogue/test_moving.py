"""`appliance catalogue copy`: from a file to a database and back, on real ones."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from io import StringIO
from pathlib import Path

import psycopg
import pytest

from appliance.catalogue.opening import FILE_NAME
from appliance.catalogue.postgres import writing
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.cli import main
from appliance.config.model import CatalogueConfig, Config
from appliance.domain.errors import CatalogueNotInUse
from appliance.server.data_dir_lock import owned_data_dir
from tests.support.full_catalogue import all_rows, asked, back_to, changed, fill_all_tables, to
from tests.support.host import OpenHost
from tests.support.rows import image, slug

ROWS = 50


@pytest.fixture
def file(moved: Config) -> Path:
    """A catalogue with rows in every table; a batch is smaller than they are."""
    fill_all_tables(moved.data_dir / FILE_NAME, ROWS)
    return moved.data_dir / FILE_NAME


def test_every_row_comes_to_the_database_and_back_as_it_was(
    file: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = all_rows(file)
    assert set(map(len, before.values())) == {ROWS}
    assert to(url) == 0
    told = capsys.readouterr().out
    assert f"Compared {ROWS * len(before):,} rows with the database postgres at 127.0.0.1" in told
    assert f"{ROWS * len(before):,} of them were missing" in told
    assert "The copy is complete. Set catalogue.url to that database, then start the server." in told
    assert back_to(tmp_path / "back.sqlite", url, monkeypatch) == 0
    assert "Unset catalogue.url" in capsys.readouterr().out
    assert all_rows(tmp_path / "back.sqlite") == before


async def test_a_server_starts_with_the_copy_and_not_with_what_was_copied(moved: Config, url: str) -> None:
    file = moved.data_dir / FILE_NAME
    async with SqliteCatalogue(file) as catalogue:
        await catalogue.images.add(image())
    assert to(url) == 0
    async with PostgresCatalogue(url) as there:
        assert await there.images.get(slug(0)) == image()
        await there.images.add(image(1))
    left = SqliteCatalogue(file)
    with pytest.raises(CatalogueNotInUse, match="were moved to the database postgres"):
        await left.start()
    await left.stop()
    assert await asyncio.to_thread(main, ["catalogue", "check"]) == 1


async def test_going_back_may_replace_the_file_that_was_moved_away_from(
    file: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert to(url) == 0
    asked(url, "DELETE FROM tombstones")
    asked(url, f"DELETE FROM images WHERE slug > (SELECT slug FROM images ORDER BY slug OFFSET {ROWS - 2} LIMIT 1)")
    asked(url, "UPDATE albums SET title = 'changed in the database'")
    assert back_to(file, url, monkeypatch) == 0
    rows = all_rows(file)
    assert (len(rows["images"]), len(rows["tombstones"]), len(rows["albums"])) == (ROWS - 1, 0, ROWS)
    async with SqliteCatalogue(file):
        pass
    left = PostgresCatalogue(url)
    with pytest.raises(CatalogueNotInUse, match="were moved to"):
        await left.start()
    await left.stop()


async def test_while_a_server_runs_the_copy_waits_for_a_last_pass_that_writes_only_what_changed(
    moved: Config, file: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with owned_data_dir(moved):
        assert await asyncio.to_thread(to, url) == 0
    assert "Stop it, and run this command again" in capsys.readouterr().out
    half = PostgresCatalogue(url)
    with pytest.raises(CatalogueNotInUse, match="still being copied from"):
        await half.start()
    await half.stop()
    changed(file, "UPDATE images SET title = 'newer' WHERE slug = (SELECT max(slug) FROM images)")
    changed(file, "DELETE FROM notes WHERE name = (SELECT min(name) FROM notes)")
    changed(file, "INSERT INTO notes VALUES ('new', 'note')")
    assert to(url) == 0
    told = capsys.readouterr().out
    assert "3 of them were missing or different" in told
    assert "The copy is complete" in told
    assert asked(url, "SELECT count(*) FROM images WHERE title = 'newer'") == [(1,)]
    assert asked(url, "SELECT value FROM notes WHERE name = 'new'") == [("note",)]


def test_the_server_of_a_database_keeps_the_copy_from_being_complete(
    file: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert to(url) == 0
    monkeypatch.setattr(writing, "OWNED_WITHIN_S", 0)
    with psycopg.connect(url) as elsewhere:
        elsewhere.execute("SELECT pg_advisory_lock(1095780675, hashtext(current_schema()))")
        assert back_to(tmp_path / "back.sqlite", url, monkeypatch) == 0
        assert "Stop it" in capsys.readouterr().out
    assert back_to(tmp_path / "back.sqlite", url, monkeypatch) == 0
    assert "The copy is complete" in capsys.readouterr().out


def test_a_target_with_other_rows_is_left_alone(
    file: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.sqlite"
    fill_all_tables(other, 1, seed=8)
    before = all_rows(other)
    assert to(url) == 0
    assert back_to(other, url, monkeypatch) == 1
    assert "has rows already" in capsys.readouterr().err
    assert all_rows(other) == before
    assert to(url) == 1
    assert "if the copy was finished before, set catalogue.url" in capsys.readouterr().err


def test_a_schema_of_another_release_is_told(file: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    changed(file, "INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('catalogue', '9999-more')")
    assert to(url) == 1
    assert "9999-more" in capsys.readouterr().err
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM _sqlite_migrations WHERE name IN ('9999-more', '0018-bans')")
    assert to(url) == 1
    assert "it lacks 0018-bans" in capsys.readouterr().err
    assert asked(url, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()") == []


@pytest.mark.parametrize("wanted", ["/tmp/copy.sqlite", "sqlite:/tmp/copy.sqlite", "mysql://db/x", ""])
def test_what_is_no_other_kind_of_catalogue_is_refused(
    wanted: str, moved: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert to(wanted) == 1
    assert "from a file to a database" in capsys.readouterr().err


def test_an_address_with_two_meanings_is_refused_without_showing_it(
    moved: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert to("postgresql://appliance:pa/secret@127.0.0.1/x") == 1
    told = capsys.readouterr().err
    assert "%2F for /" in told
    assert "secret" not in told


def test_the_address_can_come_from_standard_input(
    file: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO(f"{url}\n"))
    assert to("-") == 0
    assert "The copy is complete" in capsys.readouterr().out


def test_a_text_that_a_database_cannot_hold_is_told(file: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    changed(file, "INSERT INTO notes VALUES ('odd', 'a' || char(0))")
    assert to(url) == 1
    assert "refuses a row" in capsys.readouterr().err


def test_rows_that_something_else_changes_are_named(file: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def made() -> None:
        async with PostgresCatalogue(url):
            pass

    asyncio.run(made())
    asked(url, "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.rounds := 0; RETURN NEW; END'")
    asked(url, "CREATE TRIGGER spoil BEFORE INSERT ON purges FOR EACH ROW EXECUTE FUNCTION spoil()")
    asked(url, "DELETE FROM notes")
    assert to(url) == 1
    told = capsys.readouterr().err
    assert "7 rows of the table purges differ" in told
    assert all_rows(file)["purges"][0][0] in told


async def test_a_host_moves_while_it_is_used(
    open_host: OpenHost, config: Config, url: str, monkeypatch: pytest.MonkeyPatch, jpeg: bytes
) -> None:
    monkeypatch.setenv("APPLIANCE_DATA_DIR", str(config.data_dir))
    host = await open_host()
    with owned_data_dir(config):
        first, second = await host.upload(jpeg), await host.upload(jpeg, passphrase="open sesame")
        assert await asyncio.to_thread(to, url) == 0
        third = await host.upload(jpeg, title="After the first pass")
        assert (await host.delete(first["slug"], first["delete_token"])).status == 204
        await host.client.close()
    assert await asyncio.to_thread(to, url) == 0
    host = await open_host(catalogue=CatalogueConfig(url=url))
    statuses = [(await host.get(f"/i/{each['slug']}/small.jpg")).status for each in (first, second, third)]
    assert statuses == [410, 401, 200]
    assert (await host.patch(third["slug"], third["delete_token"], title="In the database")).status == 200
