import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.outcome import Operation, Outcome
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.checkpoints import CHANGES_BETWEEN, Checkpoints
from appliance.catalogue.sqlite.connections import open_reader, open_writer
from appliance.catalogue.sqlite.file import CatalogueFile
from appliance.domain.errors import Conflict, DiskFull
from tests.support.rows import image, slug


async def test_operations_that_wait_together_share_a_commit(catalogue: SqliteCatalogue) -> None:
    release, loop = threading.Event(), asyncio.get_running_loop()
    running = asyncio.Event()

    def wait(_: Connection) -> Outcome[None]:
        loop.call_soon_threadsafe(running.set)
        release.wait(10)
        return Outcome(None)

    before = catalogue.writer.commits
    first = asyncio.create_task(catalogue.writer.run(wait))
    await running.wait()
    adds = [asyncio.create_task(catalogue.images.add(image(number))) for number in range(200)]
    await asyncio.sleep(0)  # all are handed over
    release.set()
    await asyncio.gather(first, *adds)
    assert catalogue.writer.commits - before == 2
    assert catalogue.writer.operations >= 201


async def test_an_operation_that_fails_leaves_its_neighbours_alone(catalogue: SqliteCatalogue) -> None:
    await catalogue.images.add(image(0))

    def broken(connection: Connection) -> Outcome[None]:
        connection.execute("DELETE FROM images WHERE slug >= ''")
        raise RuntimeError("a mistake")

    results = await asyncio.gather(
        catalogue.images.add(image(1)),
        catalogue.writer.run(broken),
        catalogue.images.add(image(0)),
        catalogue.images.add(image(2)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), RuntimeError, Conflict, type(None)]
    assert [one.slug for one in await catalogue.images.page()] == [slug(0), slug(1), slug(2)]


async def test_an_operation_that_ends_the_transaction_fails_the_group_and_not_the_writer(
    catalogue: SqliteCatalogue,
) -> None:
    def rolled_back(connection: Connection) -> Outcome[None]:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    results = await asyncio.gather(
        catalogue.images.add(image(0)), catalogue.writer.run(rolled_back), return_exceptions=True
    )
    assert isinstance(results[1], Exception)
    stored = {one.slug for one in await catalogue.images.page()}
    assert stored == ({slug(0)} if results[0] is None else set())
    await catalogue.images.add(image(1))


async def test_a_full_disk_has_a_name_and_the_writer_works_again_once_there_is_room(
    catalogue: SqliteCatalogue, file: CatalogueFile
) -> None:
    def limited(pages: int) -> Operation[None]:
        def set_limit(connection: Connection) -> Outcome[None]:
            connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
            return Outcome(None)

        return set_limit

    await catalogue.writer.run(limited(1))
    stored = 0
    with pytest.raises(DiskFull, match="full"):
        for stored in range(1000):
            await catalogue.images.add(image(stored))
    assert 0 < stored < 999
    assert await catalogue.images.get(slug(stored)) is None
    await catalogue.writer.run(limited(2**30))
    await catalogue.images.add(image(stored))
    assert len(await catalogue.images.page()) == stored + 1
    assert await file.find_problems() == []


async def test_a_stopped_catalogue_is_one_file(path: Path) -> None:
    async with SqliteCatalogue(path) as catalogue:
        await catalogue.images.add(image())
        await catalogue.images.page()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_every_commit_is_synced(catalogue: SqliteCatalogue) -> None:
    def durability(connection: Connection) -> Outcome[list[object]]:
        names = ("journal_mode", "synchronous", "wal_autocheckpoint")
        return Outcome([connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names])

    assert await catalogue.writer.run(durability) == ["wal", 2, 0]


async def test_readers_can_not_write(catalogue: SqliteCatalogue, path: Path) -> None:
    reader = open_reader(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM images")
    reader.close()


def test_the_log_is_taken_in_when_enough_has_changed(path: Path) -> None:
    connection = open_writer(path)
    connection.execute("PRAGMA synchronous = OFF")  # only to be quick
    checkpoints = Checkpoints(connection, path)
    checkpoints.when_idle()
    log = path.with_name(path.name + "-wal")
    largest = 0
    for number in range(3 * CHANGES_BETWEEN):
        connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (str(number % 500), "x" * 1000))
        checkpoints.after_commit()
        if number == CHANGES_BETWEEN:
            largest = log.stat().st_size
    assert log.stat().st_size <= 1.2 * largest
    checkpoints.last()
    assert log.stat().st_size == 0
    connection.close()


def test_a_reader_that_stays_long_does_not_stop_the_log_from_being_cut_afterwards(path: Path) -> None:
    connection, reader = open_writer(path), open_reader(path)
    checkpoints = Checkpoints(connection, path, max_log_bytes=100_000)
    log = path.with_name(path.name + "-wal")

    def write(times: int) -> None:
        for number in range(times):
            connection.execute("INSERT OR REPLACE INTO notes VALUES ('note', ?)", (str(number),))
            checkpoints.after_commit()

    reader.execute("BEGIN")
    reader.execute("SELECT * FROM notes").fetchall()
    write(100)
    grown = log.stat().st_size
    assert grown > 150_000
    reader.execute("COMMIT")
    write(100)
    assert log.stat().st_size < grown
    reader.close()
    connection.close()


def test_after_a_fault_the_log_gives_its_room_back(path: Path) -> None:
    connection = open_writer(path)
    checkpoints = Checkpoints(connection, path)
    connection.execute("INSERT INTO notes VALUES ('a', 'b')")
    checkpoints.after_fault()
    assert path.with_name(path.name + "-wal").stat().st_size == 0
    connection.close()
