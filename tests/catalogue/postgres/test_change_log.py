"""The log of changes in a database, whose transactions see the rows of their beginning."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from psycopg.errors import LockNotAvailable

from appliance.catalogue.change_log import Turn
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.postgres.change_log import begin_turn_in, database_log, end_log_in
from appliance.catalogue.postgres.connections import Connector
from appliance.catalogue.postgres.database import CatalogueDatabase
from appliance.catalogue.postgres.dialect import MIGRATIONS_TABLE
from appliance.catalogue.sqlite.tables import catalogue_tables
from tests.support.full_catalogue import asked

LOG = database_log(catalogue_tables())
WAITS_FOR_NOTES = "SELECT 1 FROM pg_locks WHERE relation = 'notes'::regclass AND NOT granted"


@pytest.fixture
def logged(url: str) -> Iterator[str]:
    """The URL of a catalogue whose changes are logged."""

    async def made() -> None:
        async with PostgresCatalogue(url):
            pass

    asyncio.run(made())
    begun(url)
    yield url


def begun(url: str) -> Turn:
    with closing(Connector(url).connect()) as connection:
        return begin_turn_in(connection, LOG, 0)


def test_a_transaction_that_began_earlier_logs_in_the_turn_of_its_end(logged: str) -> None:
    with psycopg.connect(logged) as earlier:
        earlier.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        earlier.execute("SELECT count(*) FROM notes")
        turn = begun(logged)
        earlier.execute("INSERT INTO notes VALUES ('a', 'b')")
    assert asked(logged, "SELECT name, turn FROM changed_notes WHERE name = 'a'") == [("a", turn.number)]


def test_a_turn_is_not_begun_among_transactions_that_have_logged(logged: str) -> None:
    with psycopg.connect(logged) as earlier:
        earlier.execute("INSERT INTO notes VALUES ('a', 'b')")
        with pytest.raises(LockNotAvailable):
            begun(logged)
    assert begun(logged).number > 1


def test_nodes_take_turns_while_a_log_waits_for_the_vacuum_of_a_table(logged: str) -> None:
    asked(logged, "DROP TRIGGER log_changes ON notes")  # a log that isn't sound is made again
    with psycopg.connect(logged) as vacuum, ThreadPoolExecutor(1) as pool, psycopg.connect(logged) as node:
        vacuum.execute("LOCK TABLE notes IN SHARE UPDATE EXCLUSIVE MODE")
        turn = pool.submit(begun, logged)
        while not asked(logged, WAITS_FOR_NOTES):
            assert not turn.done()
        node.execute(f"LOCK TABLE {MIGRATIONS_TABLE} IN EXCLUSIVE MODE NOWAIT".encode())
        node.rollback()
        assert isinstance(turn.exception(), LockNotAvailable)
    assert begun(logged).number > 0


def test_tables_of_other_programs_are_left_alone(logged: str) -> None:
    asked(logged, 'CREATE TABLE "Of another program" (a INTEGER)')
    asked(logged, "DROP TRIGGER log_changes ON notes")
    assert begun(logged).number > 0
    with closing(Connector(logged).connect()) as connection:
        end_log_in(connection, LOG)


async def test_a_log_is_known_by_its_beginning_and_leaves_nothing(url: str) -> None:
    async with PostgresCatalogue(url):
        pass
    objects = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace ORDER BY 1"
    before = asked(url, objects)
    with closing(Connector(url).connect()) as connection:
        begin_turn_in(connection, LOG, 9)
        assert await CatalogueDatabase(url).logged_since_s() == 9
        assert await CatalogueDatabase(url).find_problems() == []
        end_log_in(connection, LOG)
    assert await CatalogueDatabase(url).logged_since_s() is None
    assert asked(url, objects) == before
    functions = "SELECT count(*) FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
    assert asked(url, functions) == [(0,)]
