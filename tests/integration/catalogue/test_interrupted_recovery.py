"""A backup of a database, and a restore into one, are killed."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.catalogue.opening import FILE_NAME
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.postgres.moving import DatabaseTarget
from appliance.catalogue.sqlite.tables import catalogue_tables
from appliance.cli import main
from appliance.config.model import Config
from appliance.domain.errors import CatalogueNotInUse
from tests.support.backups import backups_in
from tests.support.full_catalogue import all_rows, asked, fill_with_sound_rows, to
from tests.support.killed_copies import GATE_IS_CLOSED, gated, killed_at_a_lock, locked

ROWS = 50


@pytest.fixture(autouse=True)
def filled(moved: Config, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands' host has its catalogue in the database, with rows in every table; the same are in a file."""
    fill_with_sound_rows(moved.data_dir / FILE_NAME, ROWS)
    assert to(url) == 0
    for path in moved.data_dir.glob(f"{FILE_NAME}*"):
        path.rename(tmp_path / path.name)
    monkeypatch.setenv("APPLIANCE_CATALOGUE_URL", url)


async def run(*command: str) -> int:
    return await asyncio.to_thread(main, command)


async def require_unusable(url: str) -> None:
    """No server starts with this catalogue, and people learn what to do."""
    half = PostgresCatalogue(url)
    with pytest.raises(CatalogueNotInUse, match=r"from a backup or the store, .*`appliance restore`"):
        await half.start()
    await half.stop()


def row_counts(url: str) -> dict[str, int]:
    return {table.name: asked(url, f"SELECT count(*) FROM {table.name}")[0][0] for table in catalogue_tables()}


async def test_a_backup_that_was_killed_is_none_and_the_next_one_is_whole(
    places: Path, moved: Config, url: str, tmp_path: Path
) -> None:
    with locked(url, "LOCK TABLE notes IN ACCESS EXCLUSIVE MODE"):
        await killed_at_a_lock(url, "backup")
    assert backups_in(places) == []
    assert await run("backup") == 0
    [name] = backups_in(places)
    assert all_rows(places / name / FILE_NAME) == all_rows(tmp_path / FILE_NAME)
    assert backups_in(moved.backups_dir) == ["backup.lock", "state.json"]


async def test_a_restore_that_was_killed_starts_no_server_and_continues(
    places: Path,
    moved: Config,
    lose_database: Callable[[], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await run("backup") == 0
    lost = lose_database()
    await gated(lost, "notes")
    with locked(lost, GATE_IS_CLOSED):
        await killed_at_a_lock(lost, "restore", "--backup-alone")
    assert asked(lost, "SELECT count(*) FROM images") == [(ROWS,)]
    await require_unusable(lost)
    assert moved.restore_dir.exists()
    for command in (["expire"], ["backup"]):
        assert await run(*command) == 1
    told = capsys.readouterr().err
    assert "A restore or rebuild of" in told
    assert "has only some of the rows" in told
    assert await run("restore", "--backup-alone") == 0
    assert row_counts(lost) == dict.fromkeys(row_counts(lost), ROWS)
    assert await run("catalogue", "backup", str(tmp_path / "restored.sqlite")) == 0
    assert all_rows(tmp_path / "restored.sqlite") == all_rows(tmp_path / FILE_NAME)


async def test_a_restore_that_was_killed_in_its_last_moment_starts_no_server_and_ends_when_it_is_repeated(
    places: Path, lose_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await run("backup") == 0
    lost = lose_database()
    with monkeypatch.context() as patch:

        def killed(_: DatabaseTarget) -> None:
            raise KeyboardInterrupt

        patch.setattr(DatabaseTarget, "release", killed)
        assert await run("restore", "--backup-alone") == 130
    await require_unusable(lost)
    assert await run("restore", "--backup-alone") == 0
    async with PostgresCatalogue(lost):
        pass
