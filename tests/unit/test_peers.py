"""Who may give commands: root and the server's own user, and nothing that the server has started."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from appliance import peers
from appliance.peers import Peer, may_command, peer_of


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


def seen(monkeypatch: pytest.MonkeyPatch, parents: dict[int, int]) -> None:
    """These processes and their parents are there to be seen, and no other."""
    monkeypatch.setattr(peers, "_parent_of", parents.get)


def test_a_command_whose_parent_is_another_users_may(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, {2**22 + 2: 2**22 + 1})  # sudo -u appliance, where the unit hides root's processes
    assert may_command(Peer(2**22 + 2, os.geteuid()))


def test_one_whose_parent_ends_meanwhile_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([2**22 + 1, None, os.getpid(), None])
    monkeypatch.setattr(peers, "_parent_of", lambda _pid: next(parents))
    assert not may_command(Peer(2**22 + 2, os.geteuid()))


def test_another_user_may_not_and_root_may(child: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert not may_command(Peer(os.getppid(), 54321))
    assert may_command(Peer(os.getppid(), 0))
