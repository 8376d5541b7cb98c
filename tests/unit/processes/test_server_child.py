"""One of several processes, with small programs in the place of servers: started, watched, and started again."""

import asyncio
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from appliance.config.model import Config
from appliance.processes import server_child
from appliance.processes.notices import Notices
from appliance.processes.place import ProcessPlace
from appliance.processes.server_child import NeverReady, ServerChild
from appliance.server.systemd import Supervisor
from tests.support.waiting import until

LIVES = "import time; time.sleep(600)"
DIES = "raise SystemExit(3)"


def runs(program: str) -> Callable[[int], Awaitable[Process]]:
    return lambda _number: asyncio.create_subprocess_exec(sys.executable, "-c", program)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_child, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(server_child, "MAX_PAUSE_S", 0.02)


async def test_one_that_never_was_ready_is_a_fault_of_the_start() -> None:
    with pytest.raises(NeverReady):
        await ServerChild(1, Config(), runs(DIES)).run()


@pytest.mark.usefixtures("short_pauses")
async def test_one_that_was_ready_starts_again_until_it_is_stopped() -> None:
    child = ServerChild(1, Config(), runs(DIES))
    child.hear(["READY=1"])
    running = asyncio.create_task(child.run())
    await until(lambda: child.starts >= 3, "it starts again")
    child.stop()
    await running
    assert child.pid is None


async def test_a_stop_ends_it_at_once_and_it_does_not_start_again() -> None:
    child = ServerChild(1, Config(), runs(LIVES))
    running = asyncio.create_task(child.run())
    await until(lambda: child.pid is not None, "it runs")
    child.stop()
    await running
    assert child.starts == 1


async def test_a_stop_ends_the_pause_before_the_next_start() -> None:
    child = ServerChild(1, Config(), runs(DIES))
    child.hear(["READY=1"])
    running = asyncio.create_task(child.run())
    await until(lambda: child.starts == 1 and child.pid is None, "it has ended")
    child.stop()
    await running
    assert child.starts == 1


@pytest.mark.usefixtures("short_pauses")
async def test_one_that_is_ready_and_silent_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    child = ServerChild(1, Config(), runs(LIVES))
    running = asyncio.create_task(child.run())
    await until(lambda: child.pid is not None, "it runs")
    child.hear(["READY=1"])
    child.require_life()
    first = child.pid
    monkeypatch.setattr(server_child, "WATCHDOG_S", -1)
    child.require_life()
    await until(lambda: child.starts == 2 and child.pid not in (None, first), "another one runs")
    child.require_life()  # it isn't ready yet: a start may take long
    assert child.pid is not None
    child.stop(signal.SIGKILL)
    await running


async def test_others_are_ended_when_one_can_not_start() -> None:
    child = ServerChild(1, Config(), runs(LIVES))
    running = asyncio.create_task(child.run())
    await until(lambda: child.pid is not None, "it runs")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert child.pid is None


async def test_the_kernel_says_which_process_tells_something() -> None:
    heard: list[tuple[int, list[str]]] = []
    notices = Notices(lambda pid, lines: heard.append((pid, lines)))
    tells = f"""
import socket
line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
line.connect({f"{chr(0)}{notices.address[1:]}"!r})
line.send(b"READY=1\\nSTATUS=fine")
"""
    with notices.heard():
        process = await runs(tells)(1)
        assert await process.wait() == 0
        await until(lambda: bool(heard), "the notice")
    assert heard == [(process.pid, ["READY=1", "STATUS=fine"])]


def test_a_place_is_told_on_the_command_line(tmp_path: Path) -> None:
    place = ProcessPlace(2, 123, (7, 8), 9)
    assert ProcessPlace.parse(str(place)) == place
    with pytest.raises(ValueError, match="unpack"):
        ProcessPlace.parse("2")


def test_inherited_sockets_are_kept_from_workers() -> None:
    ours, nodes = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in (ours, nodes)]
    told = ProcessPlace(1, 123, (ours.detach(),), nodes.detach()).inherited(Supervisor(watchdog_s=30))
    with told.sockets[0] as site, told.node_sockets[0] as for_nodes:
        assert [one.getsockname()[1] for one in (site, for_nodes)] == ports
        assert not site.get_inheritable()
        assert (told.head, told.watchdog_s) == (123, 30)
