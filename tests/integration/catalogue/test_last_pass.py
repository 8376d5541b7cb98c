"""The last pass of `appliance catalogue copy` compares only what servers changed since the one before."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from appliance.app import control_commands
from appliance.catalogue.opening import FILE_NAME
from appliance.catalogue.postgres import writing
from appliance.catalogue.postgres.moving import DatabaseSource, DatabaseTarget
from appliance.catalogue.sql.catalogue import SqlCatalogue
from appliance.catalogue.sqlite.moving import FileSource, FileTarget
from appliance.config.model import CatalogueConfig, Config
from appliance.server.control import listening
from appliance.server.data_dir_lock import owned_data_dir
from tests.support.full_catalogue import asked, changed, fill_all_tables, to
from tests.support.host import OpenHost
from tests.support.moves import DatabaseToFile, FileToDatabase, Source, compared, copy

ROWS = 30
CHANGES = (
    "UPDATE images SET title = 'newer' WHERE slug = (SELECT max(slug) FROM images)",
    "UPDATE images SET slug = 'renamed' WHERE slug = (SELECT min(slug) FROM images)",
    "UPDATE records_due SET id = 'renamed' WHERE kind = (SELECT min(kind) FROM records_due)",
    "DELETE FROM day_budgets WHERE name = (SELECT name FROM day_budgets ORDER BY name LIMIT 1)",
    "DELETE FROM notes WHERE name = (SELECT min(name) FROM notes)",
    "INSERT INTO notes VALUES ('new', 'note')",
    "UPDATE notes SET value = 'changed again' WHERE name = 'new'",
)
KEYS = 8  # of these rows, before and after
LATER = ("INSERT INTO notes VALUES ('later', 'note')", "DELETE FROM notes WHERE name = 'new'")
TABLES = 15


@pytest.fixture(params=["file", "database"])
def source(request: pytest.FixtureRequest, moved: Config, url: str, monkeypatch: pytest.MonkeyPatch) -> Source:
    """Rows in every table, copied in batches of seven."""
    file = moved.data_dir / FILE_NAME
    fill_all_tables(file, ROWS)
    if request.param == "file":
        return FileToDatabase(moved, file, url)
    assert to(url) == 0
    monkeypatch.setenv("APPLIANCE_CATALOGUE_URL", url)
    monkeypatch.setattr(writing, "OWNED_WITHIN_S", 0)
    return DatabaseToFile(url, moved.data_dir / "back.sqlite")


@pytest.fixture
def told(source: Source, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What the command has printed since the last time."""
    capsys.readouterr()
    return lambda: capsys.readouterr().out


@asynccontextmanager
async def copied_once(source: Source) -> AsyncIterator[SqlCatalogue]:
    """A server, during which the first pass was done."""
    async with source.served() as server:
        assert await copy(source) == 0
        yield server


async def test_later_passes_compare_only_what_changed(source: Source, told: Callable[[], str]) -> None:
    async with copied_once(source):
        [of_all] = compared(told())
        assert of_all >= ROWS * TABLES
        for statement in CHANGES:
            await asyncio.to_thread(source.change, statement)
        assert await copy(source) == 0
        assert compared(told()) == [KEYS]
        for statement in LATER:
            await asyncio.to_thread(source.change, statement)
    expected = source.rows()
    assert source.copy() == 0
    said = told()
    assert compared(said) == [len(LATER)]
    assert "that changed since the last pass" in said
    assert "The copy is complete" in said
    assert source.copied_rows() == expected
    assert source.log() == []


async def test_nothing_is_lost_while_servers_change_rows_all_the_time(source: Source) -> None:
    async def work(server: SqlCatalogue) -> None:
        for number in range(10_000):
            await server.notes.set(f"note {number % 40}", str(number))

    async with source.served() as server:
        working = asyncio.ensure_future(work(server))
        for _ in range(4):
            assert await copy(source) == 0
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
    expected = source.rows()
    assert source.copy() == 0
    assert source.copied_rows() == expected


async def test_a_log_with_a_gap_is_not_trusted(source: Source, told: Callable[[], str]) -> None:
    async with copied_once(source):
        told()
    is_file = isinstance(source, FileToDatabase)
    source.change("DROP TRIGGER log_update_images" if is_file else "ALTER TABLE images DISABLE TRIGGER log_changes")
    source.change(CHANGES[0])
    expected = source.rows()
    assert source.copy() == 0
    assert compared(told())[0] >= ROWS * TABLES
    assert source.copied_rows() == expected
    assert source.log() == []


async def test_a_log_with_a_gap_is_made_again_by_the_server(source: Source, told: Callable[[], str]) -> None:
    async with copied_once(source):
        told()
        is_file = isinstance(source, FileToDatabase)
        gap = "DROP TRIGGER log_update_images" if is_file else "DROP TRIGGER log_changes ON images"
        await asyncio.to_thread(source.change, gap)
        await asyncio.to_thread(source.change, CHANGES[0])
        assert await copy(source) == 0
        assert compared(told())[0] >= ROWS * TABLES
        await asyncio.to_thread(source.change, CHANGES[1])
    expected = source.rows()
    assert source.copy() == 0
    assert compared(told()) == [2]
    assert source.copied_rows() == expected


@pytest.mark.parametrize("phase", ["begin_snapshot", "begin_pass", "write", "end_pass", "retire", "release"])
async def test_the_last_pass_continues_after_it_was_killed(
    source: Source, phase: str, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with copied_once(source):
        for statement in CHANGES:
            await asyncio.to_thread(source.change, statement)
    told()
    expected = source.rows()
    with monkeypatch.context() as patch:

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        for end in (FileSource, DatabaseSource, FileTarget, DatabaseTarget):
            if hasattr(end, phase):
                patch.setattr(end, phase, killed)
        assert source.copy() == 130
    assert source.copy() == 0
    assert compared(told())[-1] <= KEYS
    assert source.copied_rows() == expected


async def test_a_first_pass_that_was_killed_is_no_ground_for_a_short_one(
    source: Source, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with source.served():
        with monkeypatch.context() as patch:

            def killed(*_: object) -> None:
                raise KeyboardInterrupt

            for target in (FileTarget, DatabaseTarget):
                patch.setattr(target, "end_pass", killed)
            assert await copy(source) == 130
        assert await copy(source) == 0
    assert compared(told())[-1] >= ROWS * TABLES


@pytest.mark.parametrize("is_killed", [False, True], ids=["pass", "killed pass"])
async def test_a_file_that_was_restored_from_a_backup_is_compared_whole(
    moved: Config, url: str, tmp_path: Path, is_killed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    source = FileToDatabase(moved, moved.data_dir / FILE_NAME, url)
    fill_all_tables(source.file, ROWS)
    async with copied_once(source):
        pass
    shutil.copy(source.file, tmp_path / "backup")
    async with source.served():
        with pytest.MonkeyPatch.context() as patch:

            def killed(*_: object) -> None:
                raise KeyboardInterrupt

            if is_killed:
                patch.setattr(DatabaseTarget, "end_pass", killed)
            await asyncio.to_thread(source.change, CHANGES[0])
            assert await copy(source) == (130 if is_killed else 0)
    shutil.copy(tmp_path / "backup", source.file)
    expected = source.rows()
    capsys.readouterr()
    assert source.copy() == 0
    assert compared(capsys.readouterr().out)[0] >= ROWS * TABLES
    assert source.copied_rows() == expected


async def test_a_copy_that_is_abandoned_logs_no_more(source: Source, told: Callable[[], str]) -> None:
    async with copied_once(source):
        assert source.log()
        assert await asyncio.to_thread(source.abandon) == 0
        assert source.log() == []
        assert "logged no more" in told()
        await asyncio.to_thread(source.change, CHANGES[0])
        assert await copy(source) == 0
        assert compared(told())[0] >= ROWS * TABLES
    assert source.abandon() == 0
    assert source.log() == []
    expected = source.rows()
    assert source.copy() == 0
    assert source.copied_rows() == expected


async def test_a_server_without_a_log_costs_a_whole_pass(
    moved: Config, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = FileToDatabase(moved, moved.data_dir / FILE_NAME, url)
    fill_all_tables(source.file, ROWS)
    async with copied_once(source):
        pass
    with owned_data_dir(moved):
        changed(source.file, CHANGES[0])
        assert await copy(source) == 0
    said = capsys.readouterr()
    assert "No changes are logged" in said.err
    assert "compares all rows again" in said.out
    assert source.copy() == 0
    assert compared(capsys.readouterr().out)[0] >= ROWS * TABLES
    assert asked(url, "SELECT count(*) FROM images WHERE title = 'newer'") == [(1,)]


async def test_a_host_is_moved_by_a_last_pass_of_what_it_changed(
    *,
    open_host: OpenHost,
    config: Config,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    jpeg: bytes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("APPLIANCE_DATA_DIR", str(config.data_dir))
    host = await open_host()
    with owned_data_dir(config):
        async with listening(config, control_commands(host.appliance)):
            first = await host.upload(jpeg)
            assert await asyncio.to_thread(to, url) == 0
            second = await host.upload(jpeg, title="After the first pass")
            assert (await host.delete(first["slug"], first["delete_token"])).status == 204
        await host.client.close()
    capsys.readouterr()
    assert await asyncio.to_thread(to, url) == 0
    assert "that changed since the last pass" in capsys.readouterr().out
    host = await open_host(catalogue=CatalogueConfig(url=url))
    statuses = [(await host.get(f"/i/{each['slug']}/small.jpg")).status for each in (first, second)]
    assert statuses == [410, 200]
