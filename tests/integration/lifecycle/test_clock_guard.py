"""A clock that jumps ahead destroys nothing: what waits for its erasing waits as long as it would have."""

import time
from typing import Any

import pytest

from appliance.app import control_commands
from appliance.config.model import Config
from appliance.doctor import rows
from appliance.doctor.findings import Level
from appliance.domain.errors import ClockJumped
from appliance.lifecycle.expiry import GRACE_S
from appliance.server.control import ask_expire, ask_status, listening
from tests.support.host import DAY_S, Host, ManualClock, problem, running
from tests.support.managed_images import original
from tests.support.tus_client import VERSION

YEAR_S = 365 * DAY_S


async def jumped(host: Host) -> None:
    """The wall clock is a year ahead, and every job runs."""
    one = host.appliance
    host.clock.jump(YEAR_S)
    for end in (one.image_lifecycle.end, one.album_lifecycle.end):
        with pytest.raises(ClockJumped):
            await end()
    for destroy in (
        one.image_lifecycle.erase, one.album_lifecycle.erase, one.image_lifecycle.forget, one.album_lifecycle.forget,
        one.sweeps.stored_tombstones, one.upload_janitor.run,
    ):  # fmt: skip
        assert await destroy() == 0


async def test_the_bin_keeps_what_it_has_through_a_jump_of_the_clock(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    await host.bin(image)
    await host.appliance.image_lifecycle.end()
    await jumped(host)
    host.clock.forward(DAY_S)
    assert await host.appliance.image_lifecycle.erase() == 0
    host.clock.jump(-YEAR_S)
    assert await host.appliance.image_lifecycle.end() == 0
    assert (await host.patch(image["slug"], image["delete_token"], restore=True)).status == 200
    assert await original(host, image["slug"]) == jpeg


@pytest.mark.parametrize("is_confirmed", [False, True])
async def test_the_wait_for_erasing_is_as_long_as_ever_unless_a_person_confirms_the_time(
    host: Host, jpeg: bytes, is_confirmed: bool
) -> None:
    lifecycle = host.appliance.image_lifecycle
    image, binned = await host.upload(jpeg, expires_in="1d"), await host.upload(jpeg)
    host.clock.forward(DAY_S)
    assert await lifecycle.end() == 1
    await host.bin(binned)
    await jumped(host)
    if is_confirmed:
        assert await lifecycle.end(clock_confirmed=True) == 0
    else:
        host.clock.forward(GRACE_S - 1)
        assert await lifecycle.erase() == 0
        host.clock.forward(1)
    assert await lifecycle.erase() == 2
    await problem(await host.patch(image["slug"], image["delete_token"], deleted=False), "gone")


async def test_a_server_that_starts_at_a_wrong_time_begins_with_that_of_its_last_run(
    config: Config, jpeg: bytes
) -> None:
    clock = ManualClock()
    async with running(config, clock) as host:
        await host.bin(await host.upload(jpeg))
        await host.appliance.image_lifecycle.end()
    clock.jump(YEAR_S)
    async with running(config, clock) as host:
        assert await host.appliance.image_lifecycle.erase() == 0
        assert "365 days ago" in str(host.appliance.clock_guard.fault)
        clock.forward(7 * DAY_S)
        assert await host.appliance.image_lifecycle.erase() == 1


async def test_neither_tombstones_nor_unfinished_uploads_are_forgotten_at_a_jump(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    await host.delete(image["slug"], image["delete_token"])
    assert await host.erase() == 1
    created = await host.client.post("/api/v1/uploads", headers=VERSION | {"Upload-Length": "10"})
    await host.appliance.image_lifecycle.end()
    await jumped(host)
    await problem(await host.get(f"/i/{image['slug']}"), "gone")
    host.clock.jump(-YEAR_S)
    assert (await host.client.head(created.headers["Location"], headers=VERSION)).headers["Upload-Offset"] == "0"


async def test_status_and_doctor_say_that_the_clock_jumped_until_it_is_right_again(config: Config) -> None:
    async with running(config, ManualClock(time.time())) as host, listening(config, control_commands(host.appliance)):
        await host.appliance.image_lifecycle.end()

        async def said() -> tuple[Any, Level, str]:
            [finding] = [one async for one in rows.clock(config)]
            return (await ask_status(config))["clock"], finding.level, finding.words

        assert (await said())[:2] == ("ok", Level.OK)
        host.clock.jump(DAY_S)
        with pytest.raises(ClockJumped):
            await host.appliance.image_lifecycle.end()
        words, level, shown = await said()
        assert "moved by +86,400 s" in words
        assert level is Level.FAULT
        assert shown.endswith(words)
        host.clock.jump(-DAY_S)
        assert await ask_expire(config, clock_confirmed=False) == 0
        assert (await said())[:2] == ("ok", Level.OK)
