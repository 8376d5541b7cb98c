"""Under a service manager: its sockets are served, it is told of each state, and a restart drops nothing."""

import asyncio
import contextlib
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from tests.support.images import pictures
from tests.support.server_process import serving
from tests.support.service_manager import Manager, supervised
from tests.support.uploaders import Uploaders, broken_promises, upload
from tests.support.waiting import until


async def test_a_restart_on_the_managers_socket_breaks_no_promise(tmp_path: Path) -> None:
    async with supervised(tmp_path / "data", "http") as served, aiohttp.ClientSession() as session:
        uploaders = Uploaders(served.url, seed=7)
        async with uploaders.at_work():
            await until(lambda: len(uploaders.promises) > 5, "some load")
            for _ in range(2):
                assert await served.stop() == 0
                await served.start()
                enough = len(uploaders.promises) + 5
                await until(partial(has_more_than, uploaders, enough), "it goes on")
        assert uploaders.faults == []
        assert await broken_promises(session, served.url, uploaders.promises) == []


def has_more_than(uploaders: Uploaders, count: int) -> bool:
    return len(uploaders.promises) > count


async def test_a_connection_made_while_no_server_runs_is_answered_by_the_next(tmp_path: Path) -> None:
    async with supervised(tmp_path / "data", "http") as served, aiohttp.ClientSession() as session:
        assert await served.stop() == 0
        waiting = asyncio.create_task(upload(session, served.url, pictures.photo()))
        await asyncio.sleep(0.1)
        served.launch()
        status, _ = await waiting
        assert status == 201


async def test_metrics_are_served_on_the_socket_of_that_name(tmp_path: Path) -> None:
    async with supervised(tmp_path / "data", "http", "metrics") as served, aiohttp.ClientSession() as session:
        port = served.sockets["metrics"].getsockname()[1]
        async with session.get(f"http://127.0.0.1:{port}/metrics") as reply:
            assert "appliance_uploads" in await reply.text()
        async with session.get(f"{served.url}/healthz") as reply:
            assert await reply.text() == "alive\n"


@pytest.mark.parametrize("abstract", [False, True])
async def test_the_manager_is_notified_of_readiness_life_and_stop(tmp_path: Path, abstract: bool) -> None:
    address = f"@{tmp_path}" if abstract else str(tmp_path / "notify")
    with contextlib.closing(Manager(address)) as manager:
        async with serving(tmp_path / "data", NOTIFY_SOCKET=address, WATCHDOG_USEC="100000") as served:
            await until(lambda: manager.has_heard("READY=1"), "it is ready")
            await until(lambda: manager.has_heard("WATCHDOG=1", times=3), "signs of life")
            assert not manager.has_heard("STOPPING=1")
            assert await served.stop() == 0
            assert manager.has_heard("STOPPING=1")
            assert manager.heard.index("READY=1") < manager.heard.index("WATCHDOG=1")


async def test_a_watchdog_for_another_process_and_a_silent_manager_do_no_harm(tmp_path: Path) -> None:
    nobody = {"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}
    async with serving(tmp_path / "data", **nobody, LISTEN_PID="1", LISTEN_FDS="3") as served:
        assert await served.stop() == 0


async def test_status_tells_the_version_and_whether_it_is_ready(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served:
        answer = await asyncio.to_thread(served.command, "status")
        assert answer.returncode == 0, answer.stderr
        assert '"ready": true' in answer.stdout
        assert '"version"' in answer.stdout
        assert await served.stop() == 0
    answer = await asyncio.to_thread(served.command, "status")
    assert answer.returncode == 1
    assert "No server is running" in answer.stderr
