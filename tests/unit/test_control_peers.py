"""Who may give commands: root and the server's own user, and nothing that the server has started."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.shared.unix_peers import KernelFiles, Peer, may_command, peer_of


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


@dataclass
class Hidden:
    """As in the unit: no process is to be seen but this one. What its control group lists can be."""

    folder: Path

    def __post_init__(self) -> None:
        for folder in ("proc/self", "groups/server"):
            (self.folder / folder).mkdir(parents=True)
        (self.folder / "proc/self/cgroup").write_text("0::/server\n")

    def group_lists(self, *pids: int) -> None:
        (self.folder / "groups/server/cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))

    def may_command(self, pid: int) -> bool:
        kernel = KernelFiles(self.folder / "proc", self.folder / "groups")
        return may_command(Peer(pid, os.geteuid()), kernel)


@pytest.fixture
def hidden(tmp_path: Path) -> Hidden:
    return Hidden(tmp_path)


def test_a_hidden_process_of_another_unit_may(hidden: Hidden, child: int) -> None:
    hidden.group_lists(os.getpid())
    assert hidden.may_command(child)


def test_a_hidden_process_of_the_servers_own_unit_may_not(hidden: Hidden, child: int) -> None:
    hidden.group_lists(os.getpid(), child)
    assert not hidden.may_command(child)


def test_where_groups_can_not_be_read_a_hidden_process_may_not(hidden: Hidden, child: int) -> None:
    assert not hidden.may_command(child)


def test_a_hidden_process_that_is_gone_may_not(hidden: Hidden) -> None:
    hidden.group_lists(os.getpid())
    assert not hidden.may_command(2**22 + 1)


def test_another_user_may_not_and_root_may(child: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert not may_command(Peer(os.getppid(), 54321))
    assert may_command(Peer(os.getppid(), 0))
