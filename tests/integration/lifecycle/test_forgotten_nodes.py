"""A node whose disk is lost is forgotten, with the images that only it had."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from appliance.app import control_commands
from appliance.commands.forget_node import forget_node
from appliance.config.model import Config
from appliance.domain.errors import CommandFailed
from appliance.domain.nodes import Node
from appliance.server.control import listening
from tests.support.host import DAY_S, Host, ManualClock, problem, running
from tests.support.rows import image, slug


@pytest.fixture
async def host(config: Config) -> AsyncIterator[Host]:
    """Its clock is right, as those of nodes are."""
    async with running(config, ManualClock(time.time())) as started:
        yield started


async def lost_with(host: Host, *numbers: int) -> None:
    """The node `box-9` is gone, and the only one that had these images; the last of them is in the bin."""
    now_s = int(host.clock())
    for number in numbers:
        await host.appliance.catalogue.images.add(
            image(number, node="box-9", created_s=now_s - DAY_S, expires_s=now_s + DAY_S)
        )
    await host.appliance.catalogue.images.end(slug(numbers[-1]), now_s=now_s, erase_after_s=now_s + 9 * DAY_S)
    await host.appliance.catalogue.nodes.join(Node("box-9", "http://10.0.0.9:8090", "home-9", "1.0"), "proof")
    await host.appliance.catalogue.nodes.leave("box-9")


async def test_it_is_not_forgotten_with_what_it_alone_has_which_is_named(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    await lost_with(host, 1, 2)
    async with listening(host.appliance.config, control_commands(host.appliance)):
        with pytest.raises(CommandFailed, match="--originals-are-lost"):
            await asyncio.to_thread(forget_node, host.appliance.config, "box-9")
    assert capsys.readouterr().err.split() == [slug(1)]
    assert len(await host.appliance.catalogue.nodes.nodes()) == 1


async def test_when_its_disk_is_lost_its_images_are_gone_for_everybody(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    await lost_with(host, 1, 2, 3)
    async with listening(host.appliance.config, control_commands(host.appliance)):
        assert await asyncio.to_thread(forget_node, host.appliance.config, "box-9", are_lost=True) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[:-1] == [f"{slug(number)}: the original is lost, and the image is taken down." for number in (1, 2, 3)]
    assert told[-1] == "The node box-9 is forgotten."
    for number in (1, 2, 3):
        await problem(await host.get(f"/i/{slug(number)}/original", Accept="application/json"), "gone")
    assert await host.appliance.catalogue.nodes.nodes() == []
    host.clock.forward(60)
    assert await host.erase() == 3
