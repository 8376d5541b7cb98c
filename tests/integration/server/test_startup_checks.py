"""What a start refuses, because going on would do harm."""

import shutil

import pytest

from appliance.app import started
from appliance.config.model import Config
from appliance.domain.errors import UnfitInstallation
from tests.support.host import Host, OpenHost


async def test_originals_without_a_catalogue_stop_the_start(config: Config, open_host: OpenHost, jpeg: bytes) -> None:
    host: Host = await open_host()
    await host.upload(jpeg)
    for file in config.data_dir.glob("catalogue.sqlite*"):
        shutil.move(file, file.with_name("lost-" + file.name))
    with pytest.raises(UnfitInstallation, match="appliance catalogue rebuild"):
        async with started(config):
            pass
