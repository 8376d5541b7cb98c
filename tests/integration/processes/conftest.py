"""Two server processes of one host on PostgreSQL and MinIO, started once for a module's tests."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.boxes import Box, box_of_two
from tests.support.postgres import new_schema
from tests.support.servers import Server, minio_server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> AsyncIterator[Box]:
    folder = tmp_path_factory.mktemp("box")
    with minio_server(tmp_path_factory.mktemp("minio")) as minio:
        async with box_of_two(folder, new_schema(postgres), minio) as one:
            yield one
