"""The catalogues that keep one contract. A new one is one more entry of `KINDS`."""

import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import pytest

from appliance.catalogue import Catalogue
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.domain.clock import Clock
from tests.support.postgres import new_schema


class OpenCatalogue(Protocol):
    """Gives a catalogue, not started yet. Each call is about the same rows."""

    def __call__(self, *, purging: bool = False, clock: Clock = ...) -> Catalogue: ...


def sqlite_catalogue(folder: Path) -> OpenCatalogue:
    def open_catalogue(*, purging: bool = False, clock: Clock = lambda: 0.0) -> Catalogue:
        # Fewer rows in memory than the tests use, so that they read from the file too.
        return SqliteCatalogue(folder / "catalogue.db", purging=purging, clock=clock, cached_rows=2)

    return open_catalogue


def postgres_catalogue(url: str) -> OpenCatalogue:
    def open_catalogue(*, purging: bool = False, clock: Clock = lambda: 0.0) -> Catalogue:
        return PostgresCatalogue(url, purging=purging, clock=clock)

    return open_catalogue


KINDS = ("sqlite", "postgres")


@pytest.fixture(params=KINDS)
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], OpenCatalogue]:
    """Gives a database without rows, each time another one."""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        return lambda: postgres_catalogue(new_schema(server))
    numbers = itertools.count()

    def new() -> OpenCatalogue:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return sqlite_catalogue(folder)

    return new


@pytest.fixture
def open_catalogue(new_database: Callable[[], OpenCatalogue]) -> OpenCatalogue:
    """Opens the catalogue of this test, which has no rows at first."""
    return new_database()


@pytest.fixture
async def catalogue(open_catalogue: OpenCatalogue) -> AsyncIterator[Catalogue]:
    """Each catalogue in turn, started."""
    async with open_catalogue() as started:
        yield started
