"""A change that takes the database too long: its own caller gets the error, and no other one of its group."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
import pytest

from appliance.catalogue.postgres import writing
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.postgres.ownership import IN_TIME
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.outcome import Outcome
from appliance.domain.errors import CatalogueUnavailable
from appliance.domain.model import Image
from tests.support.rows import image, slug
from tests.support.waiting import until

SOONER = b"; SET LOCAL statement_timeout = '1s'"
TOO_LONG = "took too long"
HOLDERS = b"SELECT pid, objid::bigint FROM pg_locks WHERE locktype = 'advisory' ORDER BY pid, objid"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IN_TIME", "IN_TURN"):
        monkeypatch.setattr(writing, name, getattr(writing, name).replace(IN_TIME, SOONER))


@contextmanager
def locked(url: str, *numbers: int) -> Iterator[None]:
    """Meanwhile another program holds the rows of these images."""
    with psycopg.connect(url) as connection:
        slugs = [slug(number) for number in numbers]
        connection.execute(b"SELECT 1 FROM images WHERE slug = ANY (%s) FOR UPDATE", (slugs,))
        yield
        connection.rollback()


@asynccontextmanager
async def grouped(catalogue: PostgresCatalogue) -> AsyncIterator[None]:
    """Changes that are handed over in the block are of one group."""
    has_begun, may_end = threading.Event(), threading.Event()

    def wait(_connection: Connection) -> Outcome[None]:
        has_begun.set()
        may_end.wait(30)
        return Outcome(None)

    before = asyncio.create_task(catalogue.writer.run(wait))
    await until(has_begun.is_set, "the group before")
    yield
    await asyncio.sleep(0)
    may_end.set()
    await before


def holders(url: str) -> list[Any]:
    """The sessions that own a catalogue, and by which locks."""
    with psycopg.connect(url) as connection:
        return connection.execute(HOLDERS).fetchall()


def retitled(catalogue: PostgresCatalogue, number: int) -> "asyncio.Task[Image]":
    return asyncio.create_task(catalogue.images.change(slug(number), version=1, title="new"))


def added(catalogue: PostgresCatalogue, number: int) -> "asyncio.Task[None]":
    return asyncio.create_task(catalogue.images.add(image(number)))


async def outcomes(changes: "list[asyncio.Task[Any]]") -> list[str | None]:
    """What each caller was told."""
    results = await asyncio.gather(*changes, return_exceptions=True)
    assert all(isinstance(result, CatalogueUnavailable) for result in results if isinstance(result, BaseException))
    return [result.detail if isinstance(result, CatalogueUnavailable) else None for result in results]


async def test_a_change_that_takes_too_long_fails_alone(url: str, catalogue: PostgresCatalogue) -> None:
    await catalogue.images.add(image(0))
    with locked(url, 0):
        async with grouped(catalogue):
            changes = [added(catalogue, 1), retitled(catalogue, 0), added(catalogue, 2), added(catalogue, 3)]
        first, slow, *others = await outcomes(changes)
    assert slow is not None
    assert TOO_LONG in slow
    assert [first, *others] == [None, None, None]
    assert [one.slug for one in await catalogue.images.page()] == [slug(number) for number in range(4)]
    assert await catalogue.images.get(slug(0)) == image(0)
    assert catalogue.fault is None


async def test_a_database_that_is_too_slow_for_two_is_not_asked_by_the_rest(
    url: str, catalogue: PostgresCatalogue
) -> None:
    """They would wait longer than their callers do. What came before is saved, and the session stays as it is."""
    for number in range(3):
        await catalogue.images.add(image(number))
    before = holders(url)
    with locked(url, 0, 1, 2):
        async with grouped(catalogue):
            changes: list[asyncio.Task[Any]] = [
                retitled(catalogue, 0),
                added(catalogue, 3),
                retitled(catalogue, 1),
                retitled(catalogue, 2),
                added(catalogue, 4),
            ]
        told = await outcomes(changes)
    assert catalogue.fault is None
    assert holders(url) == before != []
    assert [text is None for text in told] == [False, True, False, False, False]
    assert [one.slug for one in await catalogue.images.page()] == [slug(number) for number in range(4)]
    await catalogue.images.add(image(4))
