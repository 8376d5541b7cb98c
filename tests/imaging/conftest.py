"""Workers that are real processes, started once for all tests that do not harm them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from appliance.workers import Workers
from tests.support.images import hostile
from tests.support.workers import MAX_PIXELS, SETTINGS


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def workers() -> AsyncIterator[Workers]:
    pool = Workers(SETTINGS, MAX_PIXELS)
    await pool.start()
    yield pool
    await pool.stop()


@pytest.fixture(scope="module")
def slow() -> bytes:
    """A picture that takes more than a second."""
    return hostile.png_bomb()
