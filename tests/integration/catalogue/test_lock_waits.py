"""Commands wait for other programs that have locked what they need of the catalogue, and say which ones these are."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from appliance.catalogue.opening import FILE_NAME
from appliance.catalogue.postgres import lock_waits, writing
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.postgres.dialect import MIGRATIONS_TABLE
from appliance.cli import main
from appliance.config.model import Config
from tests.support.full_catalogue import all_rows, asked, fill_with_sound_rows, to
from tests.support.images import pictures
from tests.support.images_api import post
from tests.support.killed_copies import GATE_IS_CLOSED, gated, made
from tests.support.moves import Rows, database_rows, log_of_database
from tests.support.server_process import serving
from tests.support.waiting import until

ROWS = 20
READS_NOTES = "SELECT count(*) FROM notes"
CHANGES_A_NOTE = "INSERT INTO notes VALUES ('of another', 'program')"
READS_IMAGES = "SELECT count(*) FROM images"
CHANGES_IMAGES = "UPDATE images SET title = title"
SHARED_NOTES = "LOCK TABLE notes IN SHARE MODE"
LOCKED_NOTES = "LOCK TABLE notes IN ACCESS EXCLUSIVE MODE"
REPLACES_AN_INDEX = "0025-unshipped-by-node"
MIGRATIONS = f"SELECT name FROM {MIGRATIONS_TABLE} ORDER BY 1"
Holder = psycopg.Connection[Any]
LoseDatabase = Callable[[], str]
Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """All that commands have printed."""
    parts: list[str] = []

    def read() -> str:
        parts.extend(capsys.readouterr())
        return "".join(parts)

    return read


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands wait for four seconds instead of ten minutes."""
    monkeypatch.setattr(lock_waits, "MAX_WAIT_S", 4.0)
    monkeypatch.setattr(lock_waits, "SAID_AFTER_S", 0.1)


@pytest.fixture
def file(moved: Config) -> Path:
    """The catalogue of the commands' host."""
    fill_with_sound_rows(moved.data_dir / FILE_NAME, ROWS)
    return moved.data_dir / FILE_NAME


@pytest.fixture
def database(file: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the same in a database, which the host uses."""
    assert to(url) == 0
    for path in file.parent.glob(f"{FILE_NAME}*"):
        path.unlink()
    monkeypatch.setenv("APPLIANCE_CATALOGUE_URL", url)
    monkeypatch.setattr(writing, "OWNED_WITHIN_S", 0)
    return url


@pytest.fixture
async def backed_up(places: Path, database: str) -> Rows:
    """The rows of that database, of which there is a backup."""
    assert await run("backup") == 0
    return database_rows(database)


async def run(*command: str) -> int:
    return await asyncio.to_thread(main, command)


@contextmanager
def held(url: str, statement: str) -> Iterator[Holder]:
    """Another program is in a transaction in which it has run the statement."""
    with closing(psycopg.connect(url, application_name="reporting")) as connection:
        connection.execute(statement.encode())
        yield connection


@asynccontextmanager
async def waiting(said: Said, holder: Holder, *command: str) -> AsyncIterator[None]:
    """The command has named the holder in the block, and succeeds after it."""
    running = asyncio.create_task(run(*command))
    named = f"Waiting for the catalogue's tables, which are in use: reporting (process {holder.info.backend_pid}, "
    try:
        await until(lambda: named in said() or running.done(), "a command that says what it waits for")
        assert not running.done(), said()
        yield
    finally:
        holder.close()
        status = await running
    assert status == 0, said()


async def fails(said: Said, holder: Holder, *command: str) -> None:
    """The command gives up, says who held the locks, and what to do."""
    assert await run(*command) == 1
    pid = holder.info.backend_pid
    assert f"The catalogue's tables are in use: reporting (process {pid}, its transaction has been open for" in said()
    assert "This waited for 4 s. Wait until that has ended" in said()
    assert f"`SELECT pg_terminate_backend({pid})`; then run the command again." in said()


@pytest.mark.parametrize("lock", [GATE_IS_CLOSED, SHARED_NOTES, LOCKED_NOTES])
async def test_a_copy_to_a_database_waits_for_whoever_has_locked_it(
    file: Path, url: str, said: Said, lock: str
) -> None:
    await gated(url, "notes")
    with held(url, lock) as holder:
        async with waiting(said, holder, "catalogue", "copy", "--to", url):
            assert f"last ran: {lock})" in said()
            assert "This continues by itself once that has ended, and gives up after 10 min." in said()
    assert database_rows(url) == all_rows(file)


async def test_a_copy_to_a_file_waits_for_writers_and_servers_write_meanwhile(
    database: str, said: Said, tmp_path: Path
) -> None:
    to_file = ["catalogue", "copy", "--to", f"sqlite:{tmp_path / 'back.sqlite'}"]
    async with PostgresCatalogue(database, node="one") as server:
        with held(database, CHANGES_A_NOTE) as holder:
            async with waiting(said, holder, *to_file):
                await server.notes.set("written", "meanwhile")
                assert await server.notes.get("written") == "meanwhile"
    expected = database_rows(database)
    assert await run(*to_file) == 0
    assert all_rows(tmp_path / "back.sqlite") == expected


async def test_ending_the_log_of_a_copy_waits_for_readers_and_servers_work_meanwhile(
    database: str, said: Said, tmp_path: Path
) -> None:
    async with PostgresCatalogue(database, node="one") as server:
        assert await run("catalogue", "copy", "--to", f"sqlite:{tmp_path / 'back.sqlite'}") == 0
        assert log_of_database(database)
        with held(database, READS_NOTES) as holder:
            async with waiting(said, holder, "catalogue", "copy", "--abandon"):
                await server.notes.set("written", "meanwhile")
                assert await server.notes.get("written") == "meanwhile"
    assert log_of_database(database) == []


@pytest.mark.parametrize("lock", [READS_IMAGES, CHANGES_IMAGES])
async def test_a_restore_waits_for_whoever_keeps_the_schema_from_being_changed(
    backed_up: Rows, lose_database: LoseDatabase, said: Said, lock: str
) -> None:
    lost = lose_database()
    await made(lost)
    asked(lost, f"DELETE FROM {MIGRATIONS_TABLE} WHERE name = '{REPLACES_AN_INDEX}'")
    with held(lost, lock) as holder:
        async with waiting(said, holder, "restore", "--backup-alone"):
            pass
    assert database_rows(lost) == backed_up
    assert asked(lost, "SELECT count(*) FROM pg_class WHERE relname LIKE '%_building'") == [(0,)]


async def test_a_rebuild_waits_for_whoever_has_locked_its_database(
    moved: Config, lose_database: LoseDatabase, said: Said
) -> None:
    async with serving(moved.data_dir) as served, aiohttp.ClientSession() as session:
        uploaded = await post(session, served, pictures.photo(), "photo.jpg")
        assert "Everything is in the store." in served.command("drain").stdout
        assert await served.stop() == 0
    (moved.data_dir / FILE_NAME).unlink()
    lost = lose_database()
    await made(lost)
    with held(lost, LOCKED_NOTES) as holder:
        async with waiting(said, holder, "catalogue", "rebuild"):
            pass
    assert asked(lost, "SELECT slug FROM images") == [(uploaded["slug"],)]


@pytest.mark.usefixtures("impatient")
async def test_a_copy_gives_up_on_a_lock_that_is_held_for_ever(file: Path, url: str, said: Said) -> None:
    await made(url)
    asked(url, "INSERT INTO notes VALUES ('a', 'b')")
    before, rows = database_rows(url), all_rows(file)
    for lock in (SHARED_NOTES, LOCKED_NOTES):
        with held(url, lock) as holder:
            await fails(said, holder, "catalogue", "copy", "--to", url)
    assert database_rows(url) == before
    assert all_rows(file) == rows
    asked(url, "DELETE FROM notes")
    assert await run("catalogue", "copy", "--to", url) == 0
    assert database_rows(url) == rows


@pytest.mark.usefixtures("impatient")
async def test_a_copy_to_a_file_gives_up_on_a_lock_that_is_held_for_ever(
    database: str, said: Said, tmp_path: Path
) -> None:
    to_file = ["catalogue", "copy", "--to", f"sqlite:{tmp_path / 'back.sqlite'}"]
    async with PostgresCatalogue(database, node="one"):
        before = database_rows(database)
        with held(database, CHANGES_A_NOTE) as holder:
            await fails(said, holder, *to_file)
        assert database_rows(database).keys() == before.keys()
        assert log_of_database(database) == []
        assert await run(*to_file) == 0
        log = log_of_database(database)
        with held(database, READS_NOTES) as holder:
            await fails(said, holder, "catalogue", "copy", "--abandon")
        assert log_of_database(database) == log


@pytest.mark.parametrize("command", [["restore", "--backup-alone"], ["catalogue", "rebuild"]], ids=" ".join)
@pytest.mark.usefixtures("impatient")
async def test_a_recovery_gives_up_on_a_lock_that_is_held_for_ever(
    backed_up: Rows, moved: Config, lose_database: LoseDatabase, said: Said, command: list[str]
) -> None:
    lost = lose_database()
    await made(lost)
    before = asked(lost, MIGRATIONS)
    with held(lost, LOCKED_NOTES) as holder:
        await fails(said, holder, *command)
    assert asked(lost, MIGRATIONS) == before
    assert not any(database_rows(lost).values())
    assert not moved.restore_dir.exists()
    async with PostgresCatalogue(lost):
        pass
