"""The sandbox, tried from inside: a process enters it and then attempts what a hostile picture would."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import require_protection

ATTEMPTS = """
import json, os, signal, socket, sys
import appliance.imaging.worker as worker
protections = worker.prepare(100_000_000, 1_000_000, 60)
def attempt(action):
    try:
        action()
        return "allowed"
    except Exception as error:
        return type(error).__name__
port, server = int(sys.argv[1]), int(sys.argv[2])
print(json.dumps({
    "protections": protections,
    "read": attempt(lambda: open("/etc/passwd").close()),
    "write": attempt(lambda: open(sys.argv[3], "w").close()),
    "list": attempt(lambda: os.listdir("/")),
    "run": attempt(lambda: os.execv("/bin/true", ["true"])),
    "connect": attempt(lambda: socket.socket().connect(("127.0.0.1", port))),
    "signal": attempt(lambda: os.kill(server, 0)),
    "memory": attempt(lambda: bytearray(2_000_000_000)),
    "files": attempt(lambda: [os.dup(0) for _ in range(100)]),
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a process inside the sandbox could do."""
    target = tmp_path_factory.mktemp("sandbox") / "written"
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = [str(server.getsockname()[1]), str(os.getpid()), str(target)]
        done = subprocess.run(
            [sys.executable, "-I", "-c", ATTEMPTS, *arguments],
            env={"VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "2"},
            capture_output=True,
            check=True,
        )
    assert not target.exists()
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("attempt", ["read", "write", "list", "run"])
def test_no_file_can_be_opened(found: dict[str, object], attempt: str) -> None:
    require_protection(found["protections"], "landlock-files")
    assert found[attempt] == "PermissionError"


def test_nothing_can_be_connected_to(found: dict[str, object]) -> None:
    require_protection(found["protections"], "landlock-tcp")
    assert found["connect"] == "PermissionError"


def test_the_server_can_not_be_signalled(found: dict[str, object]) -> None:
    require_protection(found["protections"], "landlock-signals")
    assert found["signal"] == "PermissionError"


def test_memory_and_descriptors_are_limited(found: dict[str, object]) -> None:
    assert found["memory"] == "MemoryError"
    assert found["files"] == "OSError"


def test_other_loaders_of_libvips_are_refused() -> None:
    code = """
import pyvips
from appliance.imaging.sources import block_other_loaders
def loads(data):
    try:
        return bool(pyvips.Image.new_from_buffer(data, ""))
    except pyvips.Error:
        return False
svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
before = loads(svg)
block_other_loaders()
print(before, loads(svg))
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "True False\n"


def test_a_worker_ends_with_its_server() -> None:
    code = """
import os, subprocess, sys, socket
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
numbers = [theirs.fileno(), os.getpid(), 100_000_000, 100_000_000, 60]
worker = subprocess.Popen(
    [sys.executable, "-I", "-m", "appliance.imaging.worker", *map(str, numbers)],
    pass_fds=(theirs.fileno(),), stdout=subprocess.DEVNULL, env={"VIPS_CONCURRENCY": "1"},
)
theirs.close()
assert ours.recv(1000)
print(worker.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    server = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=False)
    pid = int(server.stdout)
    status = Path(f"/proc/{pid}/status")
    for _ in range(1000):
        if not status.exists() or "State:\tZ" in status.read_text():
            return
        os.sched_yield()
    pytest.fail("the worker outlived its server")
