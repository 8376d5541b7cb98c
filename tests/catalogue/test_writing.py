import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from appliance.catalogue import Catalogue, open_catalogue
from appliance.catalogue.checkpoints import CHANGES_BETWEEN, Checkpoints
from appliance.catalogue.connections import open_reader, open_writer
from appliance.catalogue.writer import Operation, Outcome
from appliance.domain.errors import Conflict, DiskFull, Stopping
from tests.support.rows import NOW_S, image, slug


async def test_operations_that_wait_together_share_a_commit(catalogue: Catalogue) -> None:
    release, loop = threading.Event(), asyncio.get_running_loop()
    running = asyncio.Event()

    def wait(_: sqlite3.Connection) -> Outcome[None]:
        loop.call_soon_threadsafe(running.set)
        release.wait(10)
        return Outcome(None)

    before = catalogue.commits
    first = asyncio.create_task(catalogue._writer.run(wait))
    await running.wait()
    adds = [asyncio.create_task(catalogue.add(image(number))) for number in range(200)]
    await asyncio.sleep(0)  # all are handed over
    release.set()
    await asyncio.gather(first, *adds)
    assert catalogue.commits - before == 2
    assert catalogue.operations >= 201


async def test_an_operation_that_fails_leaves_its_neighbours_alone(catalogue: Catalogue) -> None:
    await catalogue.add(image(0))

    def broken(connection: sqlite3.Connection) -> Outcome[None]:
        connection.execute("DELETE FROM images WHERE slug >= ''")
        raise RuntimeError("a mistake")

    results = await asyncio.gather(
        catalogue.add(image(1)),
        catalogue._writer.run(broken),
        catalogue.add(image(0)),
        catalogue.add(image(2)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), RuntimeError, Conflict, type(None)]
    assert [one.slug for one in await catalogue.page()] == [slug(0), slug(1), slug(2)]


async def test_an_operation_that_ends_the_transaction_fails_the_group_and_not_the_writer(catalogue: Catalogue) -> None:
    def rolled_back(connection: sqlite3.Connection) -> Outcome[None]:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    results = await asyncio.gather(catalogue.add(image(0)), catalogue._writer.run(rolled_back), return_exceptions=True)
    assert isinstance(results[1], Exception)
    stored = {one.slug for one in await catalogue.page()}
    assert stored == ({slug(0)} if results[0] is None else set())
    await catalogue.add(image(1))


async def test_a_full_disk_has_a_name_and_the_writer_works_again_once_there_is_room(catalogue: Catalogue) -> None:
    def limited(pages: int) -> Operation[None]:
        def set_limit(connection: sqlite3.Connection) -> Outcome[None]:
            connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
            return Outcome(None)

        return set_limit

    await catalogue._writer.run(limited(1))
    stored = 0
    with pytest.raises(DiskFull, match="full"):
        for stored in range(1000):
            await catalogue.add(image(stored))
    assert 0 < stored < 999
    assert await catalogue.get(slug(stored)) is None
    await catalogue._writer.run(limited(2**30))
    await catalogue.add(image(stored))
    assert len(await catalogue.page()) == stored + 1
    assert await catalogue.check() == []


async def test_a_cancelled_caller_does_not_lose_the_change_or_the_next_one(catalogue: Catalogue) -> None:
    adding = asyncio.create_task(catalogue.add(image(0)))
    await asyncio.sleep(0)
    adding.cancel()
    await catalogue.add(image(1))
    assert await catalogue.get(slug(0)) == image(0)


async def test_stopping_commits_what_was_handed_over(path: Path) -> None:
    catalogue = await open_catalogue(path)
    adds = [asyncio.create_task(catalogue.add(image(number))) for number in range(300)]
    await asyncio.sleep(0)
    await catalogue.stop()
    await asyncio.gather(*adds)
    async with Catalogue(path) as again:
        assert len(await again.page()) == 300


async def test_a_stopped_catalogue_says_so(catalogue: Catalogue) -> None:
    await catalogue.stop()
    await catalogue.stop()
    with pytest.raises(Stopping):
        await catalogue.add(image())
    with pytest.raises(Stopping):
        await catalogue.get(slug(0))
    with pytest.raises(Stopping):
        await catalogue.check()


async def test_a_stopped_catalogue_is_one_file(path: Path) -> None:
    async with Catalogue(path) as catalogue:
        await catalogue.add(image())
        await catalogue.page()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_every_commit_is_synced(catalogue: Catalogue) -> None:
    def durability(connection: sqlite3.Connection) -> Outcome[list[object]]:
        names = ("journal_mode", "synchronous", "wal_autocheckpoint")
        return Outcome([connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names])

    assert await catalogue._writer.run(durability) == ["wal", 2, 0]


async def test_readers_can_not_write(catalogue: Catalogue, path: Path) -> None:
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


def test_a_reader_that_stays_long_does_not_stop_the_log_from_being_cut_afterwards(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.catalogue.checkpoints.MAX_LOG_BYTES", 100_000)
    connection, reader = open_writer(path), open_reader(path)
    checkpoints = Checkpoints(connection, path)
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


async def test_changes_to_one_image_settle_in_the_order_of_their_commits(catalogue: Catalogue) -> None:
    await catalogue.add(image())
    await asyncio.gather(
        catalogue.mark_shipped(slug(0)),
        catalogue.change(slug(0), version=1, title="changed"),
        catalogue.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S + 1),
        catalogue.restore(slug(0), now_s=NOW_S, expires_s=None),
    )
    shown = await catalogue.get(slug(0))
    assert shown == (await catalogue.page())[0]
