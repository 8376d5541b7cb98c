"""Who holds a lock, in words."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from psycopg.errors import LockNotAvailable

from appliance.catalogue.postgres import lock_waits
from appliance.catalogue.postgres.connections import Connector
from appliance.catalogue.postgres.lock_waits import MAX_TEXT, LockHolder, LockWaits
from appliance.domain.errors import CatalogueUnavailable
from tests.support.waiting import until

LOCK = b"SELECT pg_advisory_xact_lock(7)"
SHARED_LOCK = b"SELECT pg_advisory_xact_lock_shared(7)"


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        (
            LockHolder(7, "psql", "client backend", False, "UPDATE  images\nSET a = 1", 1380.5),
            "psql (process 7, its transaction has been open for 23 min, last ran: UPDATE images SET a = 1)",
        ),
        (
            LockHolder(7, "", "autovacuum worker", True, "autovacuum: VACUUM images", 7300),
            "autovacuum worker (process 7, its transaction has been open for 2 h, runs: autovacuum: VACUUM images)",
        ),
        (LockHolder(7, "pg_dump", None, None, None, None), "pg_dump (process 7)"),
        (LockHolder(7, None, None, None, None, None), "a session (process 7)"),
        (LockHolder(0, None, None, None, None, None), "a prepared transaction (see pg_prepared_xacts)"),
    ],
)
def test_a_holder_is_said_as_far_as_it_is_known(holder: LockHolder, words: str) -> None:
    assert str(holder) == words


def test_what_a_holder_runs_is_cut() -> None:
    words = str(LockHolder(7, "psql", None, True, "SELECT " + "1, " * 9_999, 119.9))
    assert len(words) < 2 * MAX_TEXT
    assert words.startswith("psql (process 7, its transaction has been open for 119 s, runs: SELECT 1, 1, ")


def wait(url: str, said: list[str]) -> None:
    """Wait four seconds for the lock."""
    waits = LockWaits(url, said.append, max_wait_s=4.0)
    with closing(Connector(url).connect()) as connection:
        waits.allow(connection)
        with waits.announced(connection):
            connection.raw.execute(LOCK)


async def test_a_wait_without_end_ends_with_the_name_of_who_held_the_lock(url: str) -> None:
    said: list[str] = []

    with psycopg.connect(url, application_name="reporting") as holder:
        holder.execute(LOCK)
        named = f"reporting (process {holder.info.backend_pid}, "
        waiting = asyncio.create_task(asyncio.to_thread(wait, url, said))
        await until(lambda: len(said) > 0 or waiting.done())
        assert named in said[0]
        with pytest.raises(CatalogueUnavailable, match="This waited for 4 s") as fault:
            await waiting
    assert named in fault.value.detail
    assert len(said) == 1


async def test_a_holder_that_has_been_said_is_not_said_again_when_others_end(url: str) -> None:
    said: list[str] = []

    with psycopg.connect(url) as holder, psycopg.connect(url) as other:
        holder.execute(SHARED_LOCK)
        other.execute(SHARED_LOCK)
        waiting = asyncio.create_task(asyncio.to_thread(wait, url, said))
        await until(lambda: len(said) > 0 or waiting.done())
        other.rollback()
        with pytest.raises(CatalogueUnavailable) as fault:
            await waiting
        assert f"(process {holder.info.backend_pid}, " in fault.value.detail
    assert len(said) == 1


def test_a_short_wait_in_a_long_block_is_not_said(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_waits, "SAID_AFTER_S", 4.0)
    said: list[str] = []
    waits = LockWaits(url, said.append)
    with psycopg.connect(url) as holder, closing(Connector(url).connect()) as connection:
        waits.allow(connection)
        with waits.announced(connection), ThreadPoolExecutor() as threads:
            time.sleep(4.2)  # until it is looked who holds locks
            holder.execute(LOCK)
            waiting = threads.submit(connection.raw.execute, LOCK)
            time.sleep(0.5)
            assert not waiting.done()
            holder.rollback()
            waiting.result()
    assert said == []


def test_what_a_holder_runs_is_not_said_where_this_user_may_not_see_it(url: str) -> None:
    said: list[str] = []
    with psycopg.connect(url) as holder:
        holder.execute(b"CREATE ROLE looks LOGIN")
        holder.commit()
        holder.execute(LOCK)
        with pytest.raises(CatalogueUnavailable):
            wait(f"{url}&user=looks", said)
        holder.rollback()
        holder.execute(b"DROP ROLE looks")
        assert f"(process {holder.info.backend_pid}). This continues" in said[0]


def test_what_can_not_get_its_locks_is_made_again(url: str) -> None:
    calls: list[int] = []

    def make() -> str:
        calls.append(len(calls))
        if len(calls) < 3:
            raise LockNotAvailable
        return "made"

    with closing(Connector(url).connect()) as connection:
        assert LockWaits(url, print).attempt(connection, make) == "made"
    assert calls == [0, 1, 2]


def test_what_takes_long_between_its_attempts_does_not_count_as_waiting(url: str) -> None:
    calls: list[int] = []

    def make() -> str:
        calls.append(len(calls))
        if len(calls) == 1:
            time.sleep(1.2)  # what an index takes to be built
            raise LockNotAvailable
        return "made"

    with closing(Connector(url).connect()) as connection:
        assert LockWaits(url, print, max_wait_s=1.1).attempt(connection, make) == "made"
    assert calls == [0, 1]


def test_a_wait_that_is_asked_for_again_is_said_however_briefly_it_asks(url: str) -> None:
    said: list[str] = []

    with psycopg.connect(url, application_name="reporting") as holder, closing(Connector(url).connect()) as connection:
        holder.execute(LOCK)
        connection.raw.execute("SET lock_timeout = '300ms'")

        def make() -> None:
            if said:
                holder.rollback()
            connection.raw.execute(LOCK)

        LockWaits(url, said.append).attempt(connection, make)
    assert "reporting (process " in said[0]


def test_a_commit_that_no_standby_confirms_is_said(url: str) -> None:
    said: list[str] = []
    with psycopg.connect(url, autocommit=True) as other, closing(Connector(url).connect()) as connection:
        connection.raw.execute("CREATE TABLE confirmed (number bigint)")
        other.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        other.execute("SELECT pg_reload_conf()")
        try:
            other.execute("SELECT pg_sleep(0.2)")
            with LockWaits(url, said.append).announced(connection), ThreadPoolExecutor() as threads:
                waiting = threads.submit(connection.raw.execute, "INSERT INTO confirmed VALUES (1)")
                while not said and not waiting.done():
                    time.sleep(0.05)
                other.execute("ALTER SYSTEM RESET synchronous_standby_names")
                other.execute("SELECT pg_reload_conf()")
                waiting.result()
        finally:
            other.execute("ALTER SYSTEM RESET synchronous_standby_names")
            other.execute("SELECT pg_reload_conf()")
    assert said == [
        "Waiting until a standby confirms a change. Start it, or take it out of synchronous_standby_names and "
        "reload; this continues by itself then."
    ]
