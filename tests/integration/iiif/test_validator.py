"""The IIIF community's own validator, against a running host: the Image API 3.0, level 2."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient

from appliance.app import started
from appliance.config.model import Server
from appliance.container import site_of
from tests.support.host import Host, HostServer, ManualClock, small_config
from tests.support.iiif_validator import AGAINST_THE_SPECIFICATION, judged, load_validator, squares
from tests.support.programs import free_port


@pytest.mark.filterwarnings("ignore")  # the validator leaves connections open
async def test_the_validator_finds_nothing_but_what_contradicts_the_specification(tmp_path: Path) -> None:
    load_validator()
    config, port = small_config(tmp_path / "data"), free_port()
    config = replace(config, server=Server(public_url=f"http://127.0.0.1:{port}"))
    clock = ManualClock()
    async with started(config, clock) as appliance, TestClient(HostServer(site_of(appliance), port=port)) as client:
        slug = (await Host(appliance, client, clock).upload(squares(), "squares.png"))["slug"]
        found = await asyncio.to_thread(judged, port, slug)
    assert len(found) == 33
    assert {name: fault for name, fault in found.items() if fault and name not in AGAINST_THE_SPECIFICATION} == {}
    assert all(found[name] for name in AGAINST_THE_SPECIFICATION)  # an exception that is none any more goes
