from collections.abc import AsyncIterator

import pytest

from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from tests.support.postgres import new_schema
from tests.support.servers import Server


@pytest.fixture
def url(postgres: Server) -> str:
    """A database without tables."""
    return new_schema(postgres)


@pytest.fixture
async def catalogue(url: str) -> AsyncIterator[PostgresCatalogue]:
    async with PostgresCatalogue(url) as started:
        yield started
