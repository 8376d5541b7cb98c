from collections.abc import AsyncIterator

import pytest

from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from tests.support.postgres import new_schema
from tests.support.servers import Server


@pytest.fixture
def url(postgres: Server) -> str:
    """A database without tables."""
    return new_schema(postgres)


@pytest.fixture(params=[None, "box-1"], ids=["alone", "node"])
async def catalogue(url: str, request: pytest.FixtureRequest) -> AsyncIterator[PostgresCatalogue]:
    async with PostgresCatalogue(url, node=request.param) as started:
        yield started
