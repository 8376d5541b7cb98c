"""Each way out of a worker, tried by hostile code inside a real one that the server's side has started."""

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from appliance.access.ban_orders import BanOrder
from appliance.access.orders import KeyOrder
from appliance.catalogue.change_log import Turn
from appliance.config.model import MB, Config
from appliance.domain.model import KeepMetadata
from appliance.reinspection.steps import Step, StepRequest
from appliance.server.control import Commands, listening
from appliance.shared.unix_peers import keep_orphans
from appliance.workers.limits import ResourceLimits
from appliance.workers.process import WorkerProcess
from appliance.workers.protocol import FindPrivate
from tests.support.programs import ROOT, require_protection
from tests.support.workers import in_memory

HOSTILE = ROOT / "tests" / "support" / "escape.py"
LIMITS = ResourceLimits(200 * MB, 200 * MB)


class Hostile:
    """A worker with hostile code in it, and what that code found."""

    def __init__(self, protections: tuple[str, ...], found: Mapping[str, str]) -> None:
        self.protections = protections
        self.found = found


class Asked:
    """Notes what the control socket was asked for."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    async def expire(self, *, clock_confirmed: bool) -> int:
        self.commands.append(f"expire {clock_confirmed}")
        return 0

    async def status(self) -> Mapping[str, Any]:
        self.commands.append("status")
        return {}

    async def drain(self, drained: bool, announced: bool) -> None:
        self.commands.append(f"drain {drained} {announced}")

    async def take_down(self, slug: str) -> str:
        self.commands.append(f"take down {slug}")
        return "taken down"

    async def reinspect(self, request: StepRequest) -> Step:
        self.commands.append(f"reinspect after {request.after}")
        return Step(None, 0)

    async def key(self, order: KeyOrder) -> Mapping[str, Any]:
        self.commands.append(f"key {order.verb}")
        return {}

    async def ban(self, order: BanOrder) -> Mapping[str, Any]:
        self.commands.append(f"ban {order.verb}")
        return {}

    async def forget_node(self, name: str) -> None:
        self.commands.append(f"forget {name}")

    async def log_changes(self) -> Turn:
        self.commands.append("log changes")
        return Turn(1, "")

    async def end_change_log(self) -> None:
        self.commands.append("end change log")

    async def only_on_node(self, name: str) -> list[str]:
        self.commands.append(f"only on {name}")
        return []

    async def metrics(self) -> str:
        self.commands.append("metrics")
        return ""


class Around:
    """What a worker might reach: files, a process, sockets; `given` names them."""

    def __init__(self, folder: Path, asked: Asked, victim: subprocess.Popen[bytes], given: Mapping[str, Any]) -> None:
        self.folder = folder
        self.asked = asked
        self.victim = victim
        self.given = given


@contextmanager
def hostile_program(patch: pytest.MonkeyPatch, *options: str) -> Iterator[None]:
    """Workers run the hostile program in place of their own; all else is as the server does it."""
    real = subprocess.Popen

    def popen(command: list[str], **rest: Any) -> subprocess.Popen[bytes]:
        assert command[1:4] == ["-I", "-m", "appliance.imaging.worker"]
        return real([command[0], "-I", str(HOSTILE), *options, *command[4:]], **rest)

    with patch.context() as patched:
        patched.setattr(subprocess, "Popen", popen)
        yield


async def tried(given: Mapping[str, Any], patch: pytest.MonkeyPatch, *options: str) -> Hostile:
    with hostile_program(patch, *options):
        worker = WorkerProcess(LIMITS)
    await worker.ready
    if not options:
        require_protection(worker.protections, "seccomp")  # without it, some of the ways would be found
    source = in_memory(json.dumps(given).encode())
    try:
        _, (report,) = await worker.call(FindPrivate(KeepMetadata.NOTHING, cpu_s=60), [source], 60)
        found = json.loads(os.pread(report, 1 * MB, 0))
        os.close(report)
    finally:
        os.close(source)
        worker.kill()
        await worker.exited
    return Hostile(worker.protections, found)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def around(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Around]:
    """What a worker might reach; at the end none of it has been touched."""
    folder = tmp_path_factory.mktemp("escapes")
    config = Config(data_dir=folder / "data")
    config.data_dir.mkdir()
    spared = folder / "spared"
    spared.write_bytes(b"whole")
    spared.chmod(0o600)
    asked = Asked()
    with (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as victim,  # noqa: ASYNC220
        socket.socket(socket.AF_UNIX) as abstract,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        name = f"escapes-{os.getpid()}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        port = listener.getsockname()[1]
        control = str(config.control_path)
        commands = Commands(
            asked.expire,
            asked.status,
            asked.drain,
            asked.take_down,
            asked.reinspect,
            asked.key,
            asked.ban,
            asked.forget_node,
            asked.log_changes,
            asked.end_change_log,
            asked.only_on_node,
            asked.metrics,
        )
        async with listening(config, commands):
            yield Around(
                folder,
                asked,
                victim,
                {"victim": victim.pid, "port": port, "control": control, "abstract": name, "path": str(spared)},
            )
        victim.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hostile(around: Around) -> Hostile:
    with pytest.MonkeyPatch.context() as patch:
        return await tried(around.given, patch)


def test_no_way_leads_out_of_a_worker(hostile: Hostile) -> None:
    assert {name for name, outcome in hostile.found.items() if outcome == "out"} == set()
    assert len(hostile.found) > 100


def test_what_libraries_do_without_is_absent_and_all_else_is_not_permitted(hostile: Hostile) -> None:
    absent = {"clone3 (call)": "errno 38"}
    for name, outcome in hostile.found.items():
        assert outcome in (absent.get(name, "PermissionError"), "ValueError: not allowed to raise maximum limit"), name


def test_nothing_around_the_worker_was_touched(hostile: Hostile, around: Around) -> None:
    spared = around.folder / "spared"
    assert around.victim.poll() is None
    assert (spared.read_bytes(), spared.stat().st_mode & 0o777) == (b"whole", 0o600)
    assert sorted(path.name for path in around.folder.iterdir()) == ["data", "spared"]
    assert around.asked.commands == []


@pytest.mark.asyncio(loop_scope="module")
async def test_each_of_them_is_a_way_where_there_is_no_cage(around: Around, monkeypatch: pytest.MonkeyPatch) -> None:
    """A way that is closed anyway would prove nothing."""
    open_ways = {
        "control socket", "abstract socket", "tcp", "tcp connect", "udp", "socket pair", "listen",
        "fork by libc", "clone a process (call)", "setsid", "make executable", "shared memory",
        "memory that no limit counts", "read", "list", "chmod", "chown", "utime", "listxattr", "umask",
        "readlink", "access", "statfs", "setuid", "name a process (call)", "fork (call)", "eventfd2 (call)",
        "pipe2 (call)", "inotify_init1 (call)",
    }  # fmt: skip
    free = await tried({**around.given, "only": sorted(open_ways)}, monkeypatch, "--without-cage")
    assert "seccomp" not in free.protections
    if os.uname().machine == "x86_64":
        assert {name for name, outcome in free.found.items() if outcome == "out"} == open_ways
    (around.folder / "spared").chmod(0o600)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_server_takes_no_commands_from_a_worker_that_reaches_its_socket(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = ["drain by the control socket", "drain by a child that was left behind"]
    keep_orphans()
    try:
        free = await tried({**around.given, "only": ways}, monkeypatch, "--without-cage")
    finally:
        ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)
    assert free.found == dict.fromkeys(ways, "PermissionError")
    assert around.asked.commands == []
