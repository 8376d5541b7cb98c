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
    assert "the proxy at 127.0.0.1 count as one, so that only limits on everybody together hold" in finding.words
    said = served.log.read_text()
    assert said.count("a proxy in front isn't trusted") == 1
    assert "clients are limited (limits.mode)" in said


async def test_by_default_the_first_forwarded_request_turns_limits_on_everybody_together_on(tmp_path: Path) -> None:
    small = {"APPLIANCE_LIMITS_MODE": "auto", "APPLIANCE_LIMITS_ANONYMOUS_UPLOADS": "60"}
    small |= {"APPLIANCE_LIMITS_PREFIX_UPLOADS": "60", "APPLIANCE_LIMITS_ADDRESS_UPLOADS": "60"}
    data = tmp_path / "data"
    async with (
        serving(data, **small, APPLIANCE_LIMITS_PROOF_OF_WORK="never") as served,
        aiohttp.ClientSession() as session,
    ):

        async def told(**headers: str) -> dict[str, object]:
            async with session.get(f"{served.url}/api/v1/limits", headers=headers) as reply:
                return dict((await reply.json())["clients"])

        async def uploads(count: int) -> list[int]:
            """The statuses of uploads that aren't images: each counts."""
            found = []
            for _ in range(count):
                async with session.put(f"{served.url}/x.jpg", data=b"no image") as reply:
                    found.append(reply.status)
            return found

        assert (await told())["limited"] is False
        assert 429 not in await uploads(65)
        (before,) = [found async for found in limits(Config(data_dir=data))]
        assert before.words == "the running server does not limit its clients"
        clients = await told(**{"X-Forwarded-For": "192.0.2.1"})
        assert clients["limited"] is True
        assert clients["anonymous_uploads"] == 60
        assert clients["address_uploads"] == clients["prefix_uploads"] == clients["address_requests"] == 0
        (finding,) = [found async for found in limits(Config(data_dir=data))]
        assert finding.level is Level.WARN
        assert "only everybody together is limited" in finding.words
        statuses = await uploads(70)
        assert 429 not in statuses[:60]
        assert 429 in statuses[60:]
    assert served.log.read_text().count("everybody together are limited") == 1


async def test_without_a_server_the_doctor_says_what_would_be_in_force(tmp_path: Path) -> None:
    for mode, words in (("auto", "would not limit"), ("on", "would limit")):
        config = Config(data_dir=tmp_path, limits=LimitsConfig(mode=mode))
        (finding,) = [found async for found in limits(config)]
        assert finding.level is Level.OK
        assert words in finding.words
