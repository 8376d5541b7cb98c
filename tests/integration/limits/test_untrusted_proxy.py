"""A proxy in front that isn't among the trusted ones: the server, its status and the doctor say so."""

from pathlib import Path

import aiohttp

from appliance.config.model import Config, LimitsConfig
from appliance.doctor.findings import Level
from appliance.doctor.limits import limits
from appliance.http.forwarding_watch import MIN_REQUESTS
from tests.support.server_process import serving


async def test_it_is_told_once_and_limits_by_address_stand_aside(tmp_path: Path) -> None:
    small = {"APPLIANCE_LIMITS_MODE": "on", "APPLIANCE_LIMITS_ADDRESS_REQUESTS": "60"}
    async with serving(tmp_path / "data", **small) as served, aiohttp.ClientSession() as session:
        (before,) = [found async for found in limits(Config(data_dir=served.data_dir))]  # limits.mode = auto is its own
        assert (before.level, before.words) == (Level.OK, "the running server limits its clients")
        for number in range(10 * MIN_REQUESTS):
            headers = {"X-Forwarded-For": f"192.0.2.{number}"}
            async with session.get(f"{served.url}/api/v1/limits", headers=headers) as reply:
                assert reply.status == 200
        (finding,) = [found async for found in limits(Config(data_dir=served.data_dir))]
    assert finding.level is Level.FAULT
    assert "the proxy at 127.0.0.1 count as one" in finding.words
    said = served.log.read_text()
    assert said.count("a proxy in front isn't trusted") == 1
    assert "clients are limited (limits.mode)" in said


async def test_without_a_server_the_doctor_says_what_would_be_in_force(tmp_path: Path) -> None:
    for mode, words in (("auto", "would not limit"), ("on", "would limit")):
        config = Config(data_dir=tmp_path, limits=LimitsConfig(mode=mode))
        (finding,) = [found async for found in limits(config)]
        assert finding.level is Level.OK
        assert words in finding.words
