"""The real application over real parts, for every suite that speaks HTTP to it."""

import logging
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import settings

from appliance.config.model import Config
from tests.support.host import Host, ManualClock, OpenHost, running, small_config
from tests.support.images import pictures
from tests.support.postgres import postgres_server
from tests.support.servers import Server

settings.register_profile("untimed", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Undoes what a command that ran in the test's own process set."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("appliance").setLevel(logging.NOTSET)
    logging.getLogger("aiohttp.access").disabled = False
    logging.captureWarnings(False)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return small_config(tmp_path / "data")


@pytest.fixture
async def open_host(config: Config) -> AsyncIterator[OpenHost]:
    """Opens hosts over the same data directory, one after another or with other settings."""
    async with AsyncExitStack() as stack:
        clock = ManualClock()

        async def open_(**sections: Any) -> Host:
            return await stack.enter_async_context(running(replace(config, **sections), clock))

        yield open_


@pytest.fixture
async def host(open_host: OpenHost) -> Host:
    return await open_host()


@pytest.fixture
async def patient(open_host: OpenHost, config: Config) -> Host:
    """A host whose replies do not wait for the store."""
    return await open_host(uploads=replace(config.uploads, ack_budget_s=0))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """One host for a module's tests that leave its clock and settings alone; they run on the module's loop."""
    async with running(small_config(tmp_path_factory.mktemp("shared") / "data"), ManualClock()) as one:
        yield one


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL for all tests; each has a schema of its own. Who stops it starts it again."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with postgres_server(Path(folder)) as server:
            yield server


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    return pictures.photo(640, 480)
