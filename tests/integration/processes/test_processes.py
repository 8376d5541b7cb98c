"""Several server processes on one machine: they share an address, and are one server to people and to systemd."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from appliance.config.model import Config
from appliance.server.control import ask_drain
from tests.support.boxes import Box
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def upload(to: str, image: bytes) -> str:
    async with aiohttp.ClientSession() as session, session.post(f"{to}/api/v1/images", data=image) as reply:
        assert reply.status == 201, await reply.text()
        return str((await reply.json())["slug"])


async def read(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        return reply.status, (await reply.read()).decode(errors="replace")


async def test_both_are_nodes_behind_one_address_and_each_has_an_address_of_its_own(box: Box, jpeg: bytes) -> None:
    assert [one["name"] for one in (await box.status())["nodes"]] == ["box-1", "box-2"]
    slugs = [await upload(url, jpeg) for url in (box.url, *box.own_urls)]
    for slug in slugs:
        for url in (box.url, *box.own_urls):
            assert (await read(f"{url}/i/{slug}/small.jpg"))[0] == 200
    assert sorted(path.name for path in box.data_dir.glob("node-?")) == ["node-1", "node-2"]


async def test_the_manager_hears_of_one_service(box: Box) -> None:
    await until(lambda: box.manager.has_heard("WATCHDOG=1"), "a sign of life")
    assert box.manager.has_heard("READY=1")
    assert box.manager.heard.count("READY=1") == 1


async def test_status_shows_each_process_and_sums_what_each_counts(box: Box) -> None:
    status = await asyncio.to_thread(box.said)
    assert status["ready"] is True
    assert status["pid"] == box.pid
    assert [(one["process"], one["node"], one["ready"]) for one in status["processes"]] == [
        (1, "box-1", True),
        (2, "box-2", True),
    ]
    assert status["waiting_for_the_store"] == sum(one["waiting_for_the_store"] for one in status["processes"])


async def test_a_drain_reaches_every_process(box: Box, jpeg: bytes) -> None:
    config = Config(data_dir=box.data_dir)
    await ask_drain(config, drained=True)
    try:
        assert (await box.status())["drained"] is True
        for url in box.own_urls:
            async with aiohttp.ClientSession() as session, session.post(f"{url}/api/v1/images", data=jpeg) as reply:
                assert reply.status == 503
    finally:
        await ask_drain(config, drained=False)
    assert (await box.status())["drained"] is False
    await upload(box.own_urls[1], jpeg)


async def test_metrics_are_those_of_all_with_the_number_of_each(box: Box, jpeg: bytes) -> None:
    for url in box.own_urls:
        await upload(url, jpeg)
    _, text = await read(box.metrics_url)
    for number in (1, 2):
        assert f'appliance_uploads_total{{outcome="accepted",process="{number}"}}' in text
    assert text.count("# TYPE appliance_uploads_total counter") == 1


async def test_each_line_of_the_log_says_whose_it_is(box: Box) -> None:
    whose = {line.get("process") for line in box.log_lines()}
    assert whose == {None, 1, 2}


async def test_one_that_is_killed_or_hangs_starts_again_and_nobody_is_refused(box: Box, jpeg: bytes) -> None:
    slug = await upload(box.url, jpeg)
    status = await box.status()
    starts = sum(one["starts"] for one in status["processes"])
    os.kill(box.pids(status)[0], signal.SIGKILL)
    for _ in range(20):
        assert (await read(f"{box.url}/i/{slug}/small.jpg"))[0] == 200
    after = await box.all_ready(starts + 1)
    assert box.pids(after)[1] == box.pids(status)[1]
    assert (await read(f"{box.own_urls[0]}/i/{slug}/small.jpg"))[0] == 200


async def test_a_stop_ends_all_of_them_in_order(box: Box) -> None:
    pids = box.pids(await box.status())
    assert await box.stop() == 0
    assert box.manager.has_heard("STOPPING=1")
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert [line["message"] for line in box.log_lines()].count("stopped") == 3
