from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.file import CatalogueFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.db"


@pytest.fixture
async def catalogue(path: Path) -> AsyncIterator[SqliteCatalogue]:
    async with SqliteCatalogue(path) as started:
        yield started


@pytest.fixture
def file(path: Path) -> CatalogueFile:
    return CatalogueFile(path)
