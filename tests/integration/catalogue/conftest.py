from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.catalogue import moving
from appliance.config.model import Config
from tests.support.postgres import new_schema
from tests.support.servers import Server


@pytest.fixture
def url(postgres: Server) -> str:
    """A database without tables."""
    return new_schema(postgres)


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The host of commands, whose catalogue is copied in batches of seven rows."""
    monkeypatch.setenv("APPLIANCE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("APPLIANCE_CONFIG", "")
    monkeypatch.setattr(moving, "BATCH", 7)
    (tmp_path / "data").mkdir()
    return Config(data_dir=tmp_path / "data")


@pytest.fixture
def places(moved: Config, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for backups of the commands' host, and their only place."""
    folder = moved.data_dir.with_name("backups")
    folder.mkdir()
    monkeypatch.setenv("APPLIANCE_BACKUP_IN_STORE", "false")
    monkeypatch.setenv("APPLIANCE_BACKUP_DIRECTORY", str(folder))
    return folder


@pytest.fixture
def lose_database(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Gives the commands' host another database, without tables; its URL."""

    def lose() -> str:
        url = new_schema(postgres)
        monkeypatch.setenv("APPLIANCE_CATALOGUE_URL", url)
        return url

    return lose
