"""Who may give commands: root and the server's own user, and nothing that the server has started."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.shared import unix_peers
from appliance.shared.unix_peers import Peer, may_command, peer_of


@pytest.fixture
def child() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_of(ours) == Peer(os.getpid(), os.geteuid())


def test_the_server_itself_and_what_started_it_may_command() -> None:
    assert may_command(Peer(os.getpid(), os.geteuid()))
    assert may_command(Peer(os.getppid(), os.geteuid()))
    assert may_command(Peer(0, os.geteuid()))  # from around the container


def test_what_the_server_started_may_not(child: int) -> None:
    assert not may_command(Peer(child, os.geteuid()))


def test_one_that_is_gone_may_not(child: int) -> None:
    assert not may_command(Peer(2**22 + 1, os.geteuid()))


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As in the unit: no process is to be seen. What the control group lists can be."""
    monkeypatch.setattr(unix_peers, "_parent_of", lambda _pid: None)
    monkeypatch.setattr(unix_peers, "_GROUPS", tmp_path)
    (line,) = [line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")] or [
        "0::/"
    ]
    group = tmp_path / line.removeprefix("0::/")
    group.mkdir(parents=True, exist_ok=True)
    return group / "cgroup.procs"


def test_a_hidden_process_of_another_unit_may(hidden: Path, child: int) -> None:
    hidden.write_text(f"{os.getpid()}\n")
    assert may_command(Peer(child, os.geteuid()))


def test_a_hidden_process_of_the_servers_own_unit_may_not(hidden: Path, child: int) -> None:
    hidden.write_text(f"{os.getpid()}\n{child}\n")
    assert not may_command(Peer(child, os.geteuid()))


def test_where_groups_can_not_be_read_a_hidden_process_may_not(hidden: Path, child: int) -> None:
    assert not may_command(Peer(child, os.geteuid()))


def test_a_hidden_process_that_is_gone_may_not(hidden: Path) -> None:
    hidden.write_text(f"{os.getpid()}\n")
    assert not may_command(Peer(2**22 + 1, os.geteuid()))


def test_another_user_may_not_and_root_may(child: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert not may_command(Peer(os.getppid(), 54321))
    assert may_command(Peer(os.getppid(), 0))
