from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.catalogue import Catalogue, open_catalogue


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.db"


@pytest.fixture
async def catalogue(path: Path) -> AsyncIterator[Catalogue]:
    opened = await open_catalogue(path)
    yield opened
    await opened.stop()
