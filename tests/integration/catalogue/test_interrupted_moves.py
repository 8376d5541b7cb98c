"""`appliance catalogue copy` is killed, and continues."""

from pathlib import Path

import pytest

from appliance.catalogue.opening import FILE_NAME
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.postgres.moving import DatabaseTarget
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.tables import catalogue_tables
from appliance.config.model import Config
from appliance.domain.errors import CatalogueNotInUse
from tests.support.full_catalogue import all_rows, asked, back_to, changed, fill_all_tables, to
from tests.support.killed_copies import GATE_IS_CLOSED, gate, gated, killed_at_a_lock, locked, made
from tests.support.moves import FileToDatabase, copy

ROWS = 50


@pytest.fixture
def file(moved: Config) -> Path:
    fill_all_tables(moved.data_dir / FILE_NAME, ROWS)
    return moved.data_dir / FILE_NAME


async def test_a_copy_to_a_database_continues_after_kill_9(
    file: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await gated(url, "invites")
    with locked(url, GATE_IS_CLOSED):
        await killed_at_a_lock(url, "catalogue", "copy", "--to", url)
        [(there,)] = asked(url, "SELECT count(*) FROM images")
    assert there == ROWS
    with pytest.raises(CatalogueNotInUse):
        await made(url)
    changed(file, "UPDATE images SET title = 'changed meanwhile' WHERE slug = (SELECT min(slug) FROM images)")
    assert to(url) == 0
    assert row_counts(url) == dict.fromkeys(all_rows(file), ROWS)
    told = capsys.readouterr().out
    compared, written = figures(told)
    assert compared == ROWS * len(all_rows(file))
    assert 0 < written < compared - ROWS
    assert asked(url, "SELECT count(*) FROM images WHERE title = 'changed meanwhile'") == [(1,)]


async def test_a_copy_to_a_file_continues_after_kill_9(
    file: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, back = all_rows(file), tmp_path / "back.sqlite"
    assert to(url) == 0
    capsys.readouterr()
    with monkeypatch.context() as patch, locked(url, "LOCK TABLE notes IN ACCESS EXCLUSIVE MODE"):
        patch.setenv("APPLIANCE_CATALOGUE_URL", url)
        await killed_at_a_lock(url, "catalogue", "copy", "--to", f"sqlite:{back}")
    half = SqliteCatalogue(back)
    with pytest.raises(CatalogueNotInUse):
        await half.start()
    await half.stop()
    assert back_to(back, url, monkeypatch) == 0
    compared, written = figures(capsys.readouterr().out)
    assert 0 < written < compared - ROWS
    assert all_rows(back) == before


async def test_the_last_pass_continues_after_kill_9_with_what_changed(
    moved: Config, file: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = FileToDatabase(moved, file, url)
    async with source.served():
        assert await copy(source) == 0
    changed(file, "UPDATE albums SET title = 'changed meanwhile'")
    changed(file, "INSERT INTO notes VALUES ('new', 'note')")
    gate(url, "notes")
    with locked(url, GATE_IS_CLOSED):
        await killed_at_a_lock(url, "catalogue", "copy", "--to", url)
    expected = source.rows()
    capsys.readouterr()
    assert to(url) == 0
    assert figures(capsys.readouterr().out)[0] == ROWS + 1
    assert source.copied_rows() == expected


async def test_a_copy_that_is_killed_in_its_last_moment_leaves_no_two_catalogues_in_use(
    file: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def killed(_: DatabaseTarget) -> None:
            raise KeyboardInterrupt

        patch.setattr(DatabaseTarget, "release", killed)
        assert to(url) == 130
    for catalogue in (SqliteCatalogue(file), PostgresCatalogue(url)):
        with pytest.raises(CatalogueNotInUse):
            await catalogue.start()
        await catalogue.stop()
    assert to(url) == 0
    async with PostgresCatalogue(url):
        pass


def row_counts(url: str) -> dict[str, int]:
    """How many rows each table of the database has."""
    return {table.name: asked(url, f"SELECT count(*) FROM {table.name}")[0][0] for table in catalogue_tables()}


def figures(told: str) -> tuple[int, int]:
    """How many rows were compared, and how many written."""
    words = told.replace(",", "").split()
    return int(words[1]), int(words[words.index("s.") + 1])
