"""A database that restarts, or whose connections end: no change is half, made twice, or reported wrongly."""

import asyncio
from typing import Any

import psycopg
import pytest

from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.outcome import Outcome
from appliance.domain.errors import CatalogueUnavailable, Conflict
from tests.support.rows import image, slug

END_SESSIONS = b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'appliance'"


def end_sessions(url: str) -> None:
    """As a restart does to every connection."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(END_SESSIONS)


async def test_connections_that_ended_while_idle_are_replaced_unnoticed(url: str, catalogue: PostgresCatalogue) -> None:
    await catalogue.images.add(image(0))
    await asyncio.gather(*(catalogue.images.get(slug(number)) for number in range(8)))
    end_sessions(url)
    await catalogue.images.add(image(1))
    assert await catalogue.images.get(slug(0)) == image(0)
    assert [one.slug for one in await catalogue.images.page()] == [slug(0), slug(1)]
    assert catalogue.fault is None


async def test_a_group_that_lost_its_connection_is_done_once(url: str, catalogue: PostgresCatalogue) -> None:
    runs = 0

    def cut_off(connection: Connection) -> Outcome[int]:
        nonlocal runs
        runs += 1
        if runs == 1:
            end_sessions(url)
        connection.execute("INSERT INTO notes (name, value) VALUES ('a', 'b')", {})
        return Outcome(runs)

    assert await catalogue.writer.run(cut_off) == 2
    assert await catalogue.notes.get("a") == "b"


@pytest.mark.parametrize("is_done", [True, False], ids=["committed", "not committed"])
async def test_a_commit_without_an_answer_is_looked_up(
    catalogue: PostgresCatalogue, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    await catalogue.images.add(image(0))
    execute: Any = psycopg.Connection.execute
    lost: list[str] = []

    def losing(self: "psycopg.Connection[Any]", query: Any, *args: Any, **kwargs: Any) -> Any:
        if query != "COMMIT" or lost:
            return execute(self, query, *args, **kwargs)
        lost.append(query)
        if is_done:
            execute(self, query)
        self.close()
        raise psycopg.OperationalError("the network is gone")

    monkeypatch.setattr(psycopg.Connection, "execute", losing)
    await catalogue.images.add(image(1))
    assert lost
    assert await catalogue.images.get(slug(1)) == image(1)
    with pytest.raises(Conflict):
        await catalogue.images.add(image(1))


async def test_what_others_change_meanwhile_is_not_overwritten(url: str, catalogue: PostgresCatalogue) -> None:
    await catalogue.notes.set("count", "1")
    runs = 0

    def increased(connection: Connection) -> Outcome[int]:
        nonlocal runs
        runs += 1
        [value] = connection.execute("SELECT value FROM notes WHERE name = 'count'", {}).fetchone()
        if runs == 1:
            with psycopg.connect(url) as other:
                other.execute("UPDATE notes SET value = '10' WHERE name = 'count'")
        connection.execute("UPDATE notes SET value = :value WHERE name = 'count'", {"value": str(int(value) + 1)})
        return Outcome(runs)

    assert await catalogue.writer.run(increased) == 2
    assert await catalogue.notes.get("count") == "11"


async def test_an_operation_that_fails_leaves_its_neighbours_alone(catalogue: PostgresCatalogue) -> None:
    await catalogue.images.add(image(0))

    def broken(connection: Connection) -> Outcome[None]:
        connection.execute("DELETE FROM images WHERE slug >= ''", {})
        raise RuntimeError("a mistake")

    def refused(connection: Connection) -> Outcome[None]:
        connection.execute("DELETE FROM images WHERE no_column = 1", {})
        return Outcome(None)

    results = await asyncio.gather(
        catalogue.images.add(image(1)),
        catalogue.writer.run(broken),
        catalogue.writer.run(refused),
        catalogue.images.add(image(0)),
        catalogue.images.add(image(2)),
        return_exceptions=True,
    )
    kinds = [type(None), RuntimeError, CatalogueUnavailable, Conflict, type(None)]
    assert [type(result) for result in results] == kinds
    assert [one.slug for one in await catalogue.images.page()] == [slug(0), slug(1), slug(2)]
