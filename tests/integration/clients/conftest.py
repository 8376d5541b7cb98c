from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.support.server_process import serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a server for a module's tests; they run on the module's loop."""
    async with serving(tmp_path_factory.mktemp("clients") / "data") as server:
        yield server.url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def contract(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's contract, as a file."""
    path = tmp_path_factory.mktemp("contract") / "openapi.json"
    async with aiohttp.ClientSession(url) as session, session.get("/api/v1/openapi.json") as reply:
        path.write_bytes(await reply.read())
    return path


@pytest.fixture
def cat(tmp_path: Path, jpeg: bytes) -> Path:
    """A file to upload."""
    path = tmp_path / "cat.jpg"
    path.write_bytes(jpeg)
    return path
