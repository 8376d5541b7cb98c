"""A newer release changes the schema while an older one serves: that one reads and writes meanwhile and afterwards."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from appliance.catalogue import Catalogue
from appliance.catalogue.postgres import migrations, schema_changes
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.postgres.connections import Connector
from appliance.catalogue.postgres.ownership import Ownership
from appliance.catalogue.sql import migration, schema
from appliance.catalogue.sql.migration import Migration, Schema
from appliance.domain.errors import CatalogueTooNew, CatalogueUnavailable, NodeNameInUse
from appliance.domain.model import Image
from appliance.membership.claiming import start_catalogue
from tests.support.rows import LATER, NOW_S, image, slug, upload
from tests.support.waiting import until

READS_IMAGES = b"SELECT count(*) FROM images"
READS_NOTES = b"SELECT count(*) FROM notes"
INDEXES = b"""
    SELECT relname::text, indisvalid, pg_get_indexdef(indexrelid) LIKE '%(colour, slug)%'
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relname LIKE 'images_by_colour%' AND relnamespace = current_schema()::regnamespace"""
NAMED = b"'images_by_colour_building'"
UNSHIPPED = b"SELECT pg_get_indexdef('images_unshipped'::regclass) LIKE '%(COALESCE(node, %), slug)%'"
CLAIMED_BY_OLDER_RELEASES = b"SELECT pg_try_advisory_lock(1095780677, hashtext(current_schema()))"
WAITS_WITHOUT_VIEWS = b"""
    SELECT count(*) > 0 FROM pg_locks
    WHERE relation = 'images'::regclass AND mode = 'ShareUpdateExclusiveLock' AND NOT granted"""
BUILDING = [("images_by_colour_building", False, True)]
BUILT = [("images_by_colour", True, True)]


class Reports:
    """What a start says it is waiting for."""

    def __init__(self) -> None:
        self.details: list[str] = []

    async def __call__(self, _part: str, _state: str, details: str) -> None:
        self.details.append(details)

    def has(self, words: str) -> bool:
        return any(words in details for details in self.details)


def coloured(db: Schema) -> None:
    db.execute("ALTER TABLE images ADD COLUMN colour INTEGER NOT NULL DEFAULT 0")
    db.execute("CREATE TABLE colours (name TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID")
    db.execute("CREATE INDEX images_by_colour ON images (colour, slug)")
    db.execute("CREATE INDEX colours_by_name ON colours (name)")


def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes that start from now on are of a release with one change more."""
    monkeypatch.setattr(migrations, "MIGRATIONS", [*schema.MIGRATIONS, Migration("9998-coloured", coloured)])


def older(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes that start from now on don't know the last changes."""
    monkeypatch.setattr(migrations, "MIGRATIONS", schema.MIGRATIONS[:-2])


def asked(url: str, statement: bytes) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


@contextmanager
def dumping(url: str, reads: bytes) -> Iterator[None]:
    """Meanwhile another program reads in one long transaction, as pg_dump does."""
    with psycopg.connect(url) as connection:
        connection.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute(reads)
        yield


async def uses(catalogue: Catalogue, number: int) -> None:
    """Everything that nodes do with images, and something of the rest."""
    images = catalogue.images
    await images.add(image(number))
    await images.change(slug(number), version=1, title="new")
    ended = await images.end(slug(number), now_s=NOW_S, erase_after_s=LATER)
    assert (await images.restore(slug(number), now_s=NOW_S, expires_s=None)).version == ended.version + 1
    assert slug(number) in [one.slug for one in await images.unshipped()]
    assert await images.mark_shipped(slug(number), image(number).sha256)
    row = await images.get(slug(number))
    assert isinstance(row, Image)
    assert row.title == "new"
    await catalogue.uploads.add(upload(number))
    assert await catalogue.uploads.get(upload(number).id_hash) == upload(number)
    await catalogue.notes.set(f"note {number}", str(number))
    assert await catalogue.notes.get(f"note {number}") == str(number)


async def test_an_index_is_built_while_an_older_node_reads_and_writes(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports, new = Reports(), PostgresCatalogue(url, node="box-2")
    async with PostgresCatalogue(url, node="box-1") as old:
        await uses(old, 0)
        newer(monkeypatch)
        try:
            with dumping(url, READS_NOTES):
                starting = asyncio.create_task(start_catalogue(new, "box-2", reports))
                await until(lambda: reports.has("builds the index images_by_colour"), "a start that says what it does")
                await uses(old, 1)
                assert asked(url, CLAIMED_BY_OLDER_RELEASES) == [(True,)]
                assert not starting.done()
            await starting
            assert asked(url, INDEXES) == BUILT
            assert new.fault is None
            await uses(new, 2)
            await uses(old, 3)
            assert [one.slug for one in await new.images.page()] == [slug(number) for number in range(4)]
        finally:
            await new.stop()


async def test_a_dump_makes_the_newer_release_wait_and_nobody_else(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reports, new = Reports(), PostgresCatalogue(url, node="box-2")
    async with PostgresCatalogue(url, node="box-1") as old:
        newer(monkeypatch)
        try:
            with dumping(url, READS_IMAGES):
                starting = asyncio.create_task(start_catalogue(new, "box-2", reports))
                await until(lambda: reports.has("something else reads its tables"), "a start that says why it waits")
                await uses(old, 0)
                assert not starting.done()
            await starting
            await uses(new, 1)
        finally:
            await new.stop()
    assert asked(url, INDEXES) == BUILT


async def test_nodes_of_two_neighbouring_schemas_read_and_write_side_by_side(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release of today next to the schema before its last changes, and to the one after them.

    Its last but one replaces an index.
    """
    older(monkeypatch)
    async with PostgresCatalogue(url, node="box-1") as old:
        await uses(old, 0)
        monkeypatch.setattr(migrations, "MIGRATIONS", schema.MIGRATIONS)
        async with PostgresCatalogue(url, node="box-2") as today:
            await asyncio.gather(uses(old, 1), uses(today, 2))
            assert asked(url, UNSHIPPED) == [(True,)]
            newer(monkeypatch)
            async with PostgresCatalogue(url, node="box-3") as new:
                await asyncio.gather(uses(today, 3), uses(new, 4))
                assert len(await old.images.page()) == 5


@pytest.mark.parametrize("is_valid", [True, False], ids=["built", "half built"])
async def test_a_change_that_was_interrupted_continues(
    url: str, monkeypatch: pytest.MonkeyPatch, is_valid: bool
) -> None:
    build = schema_changes._build

    def interrupted(*args: Any) -> None:
        if is_valid:
            build(*args)
        else:
            args[0].raw.execute(b"CREATE INDEX images_by_colour_building ON images (slug)")
            args[0].raw.execute(b"UPDATE pg_index SET indisvalid = false WHERE indexrelid = %b::regclass" % NAMED)
        raise psycopg.OperationalError("the database went away")

    async with PostgresCatalogue(url):
        pass
    newer(monkeypatch)
    monkeypatch.setattr(schema_changes, "_build", interrupted)
    new = PostgresCatalogue(url)
    with pytest.raises(CatalogueUnavailable, match="went away"):
        await new.start()
    await new.stop()
    before = asked(url, b"SELECT %b::regclass::oid" % NAMED)
    monkeypatch.setattr(schema_changes, "_build", build)
    async with PostgresCatalogue(url) as new:
        await uses(new, 0)
    assert asked(url, INDEXES) == BUILT
    assert (asked(url, b"SELECT 'images_by_colour'::regclass::oid") == before) is is_valid


async def test_while_one_node_changes_the_schema_the_next_one_waits(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.catalogue.postgres.writing.OWNED_WITHIN_S", 0)
    reports, first, second = Reports(), PostgresCatalogue(url, node="box-2"), PostgresCatalogue(url, node="box-3")
    async with PostgresCatalogue(url, node="box-1"):
        newer(monkeypatch)
        try:
            with dumping(url, READS_NOTES):
                starting = asyncio.create_task(start_catalogue(first, "box-2", Reports()))
                await until(lambda: first.fault is not None, "the build of an index")
                following = asyncio.create_task(start_catalogue(second, "box-3", reports))
                await until(lambda: reports.has("Another node changes the schema"), "a start that says why it waits")
            await asyncio.gather(starting, following)
            await uses(second, 0)
        finally:
            await first.stop()
            await second.stop()


async def test_autovacuum_is_waited_for_in_a_way_that_makes_nobody_else_wait(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives way to whatever has waited for it for a second. Its lock is taken here by somebody who doesn't."""
    new = PostgresCatalogue(url, node="box-2")
    async with PostgresCatalogue(url, node="box-1") as old:
        newer(monkeypatch)
        try:
            with psycopg.connect(url) as vacuum:
                vacuum.execute(b"LOCK TABLE images IN SHARE UPDATE EXCLUSIVE MODE")
                starting = asyncio.create_task(start_catalogue(new, "box-2", Reports()))
                await until(lambda: asked(url, WAITS_WITHOUT_VIEWS) == [(True,)], "a start that waits for the table")
                await uses(old, 0)
            await starting
        finally:
            await new.stop()
    assert asked(url, INDEXES) == BUILT


async def test_a_process_that_is_killed_while_it_builds_keeps_its_name_no_longer(url: str) -> None:
    async with PostgresCatalogue(url, node="box-1"):
        pass
    node = Ownership("box-1")
    with closing(Connector(url).connect()) as killed, closing(Connector(url).connect()) as next_one:
        await until(lambda: node.claim(killed) is None, "a name that the first session has given back")
        with dumping(url, READS_NOTES):
            change = Migration("9998-coloured", coloured)
            build = asyncio.create_task(
                asyncio.to_thread(schema_changes.apply_among_others, killed, node, change, (), lambda _work: None)
            )
            await until(lambda: asked(url, INDEXES) == BUILDING, "a build that waits for the dump")
            assert isinstance(node.claim(next_one), NodeNameInUse)
            with socket.socket(fileno=killed.raw.fileno()) as lost:
                lost.shutdown(socket.SHUT_RDWR)
                lost.detach()
            await until(lambda: node.claim(next_one) is None, "a name that is free")
        with pytest.raises(psycopg.OperationalError):
            await build


async def test_a_change_that_keeps_older_releases_out_does_so_from_its_first_step_on(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise psycopg.OperationalError("the database went away")

    async with PostgresCatalogue(url):
        pass
    with pytest.MonkeyPatch.context() as patch:
        for module in (migrations, migration):
            patch.setattr(module, "MIGRATIONS", [*schema.MIGRATIONS, Migration("9998-coloured!", coloured)])
        patch.setattr(schema_changes, "_build", interrupted)
        with pytest.raises(CatalogueUnavailable, match="went away"):
            await PostgresCatalogue(url).start()
    with pytest.raises(CatalogueTooNew, match="9998-coloured!"):
        await PostgresCatalogue(url).start()
    for module in (migrations, migration):
        monkeypatch.setattr(module, "MIGRATIONS", [*schema.MIGRATIONS, Migration("9998-coloured!", coloured)])
    async with PostgresCatalogue(url) as new:
        await uses(new, 0)
    assert asked(url, INDEXES) == BUILT
