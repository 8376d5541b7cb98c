"""What a start refuses, because going on would do harm."""

import shutil
from pathlib import Path

import pytest

from appliance.app import started
from appliance.config.model import Config
from appliance.domain.errors import UnfitInstallation
from tests.support.host import Host, OpenHost
from tests.support.server_process import ServerProcess


async def test_originals_without_a_catalogue_stop_the_start(config: Config, open_host: OpenHost, jpeg: bytes) -> None:
    host: Host = await open_host()
    await host.upload(jpeg)
    for file in config.data_dir.glob("catalogue.sqlite*"):
        shutil.move(file, file.with_name("lost-" + file.name))
    with pytest.raises(UnfitInstallation, match="appliance catalogue rebuild"):
        async with started(config):
            pass


async def test_links_that_lead_nowhere_are_told_at_the_start(tmp_path: Path) -> None:
    served = ServerProcess(tmp_path / "data")
    served.environment["APPLIANCE_SERVER_LISTEN"] = f"0.0.0.0:{served.port}"
    try:
        await served.start()
        assert f"nobody can open links that begin with http://0.0.0.0:{served.port}" in served.words()
    finally:
        await served.stop()
