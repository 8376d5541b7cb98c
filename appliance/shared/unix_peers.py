"""The process at the other end of a Unix socket, by the kernel (SO_PEERCRED), and whether it may give commands."""

import ctypes
import os
import signal
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_ROOT = 0


@dataclass(frozen=True, slots=True)
class Peer:
    """The process that connected, and its user. `pid` is 0 for one in a container around this one."""

    pid: int
    uid: int


@dataclass(frozen=True, slots=True)
class KernelFiles:
    """Where the kernel shows processes and control groups."""

    processes: Path = Path("/proc")
    groups: Path = Path("/sys/fs/cgroup")


KERNEL_FILES = KernelFiles()


def peer_of(connection: socket.socket) -> Peer:
    """The process at the other end of a connected Unix socket."""
    pid, uid, _ = _CREDENTIALS.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size),
    )
    return Peer(pid, uid)


def may_command(peer: Peer, kernel: KernelFiles = KERNEL_FILES, head: int | None = None) -> bool:
    """True for root and this process's own user, but not for the workers that were started here.

    `head` is the process that started this one among several, if there is one: it may command, and none of the others
    that descend from it.
    """
    own, head = os.geteuid(), head or os.getpid()
    if peer.uid != own:
        return peer.uid == _ROOT
    return peer.pid in (0, os.getpid(), head) or not _is_ours(peer.pid, kernel, head)


def keep_orphans() -> None:
    """Make this process the parent of its children's orphans, so that those still descend from it."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent(parent: int) -> None:
    """Have the kernel send this process SIGTERM when its parent ends. Raises SystemExit if it has ended already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)


def _is_ours(pid: int, kernel: KernelFiles, head: int) -> bool:
    """Whether it descends from `head`. True for one that has ended, which may have."""
    above = pid
    while above > 1:
        parent = _parent_of(above, kernel)
        if parent is None:  # the unit shows few processes but its own (PrivateUsers, ProtectProc), and workers can hide
            return _is_in_our_group(pid, kernel) or not _is_alive(pid)
        if parent == head:
            return True
        above = parent
    return False


def _parent_of(pid: int, kernel: KernelFiles) -> int | None:
    """The parent's id; None for a process that has ended or is hidden."""
    try:
        stat = (kernel.processes / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])  # the name before it may hold anything


def _is_in_our_group(pid: int, kernel: KernelFiles) -> bool:
    """Whether it runs in this process's control group, which none leaves by itself; True where that can't be known."""
    try:
        lines = (kernel.processes / "self" / "cgroup").read_text().splitlines()
        path = next(line for line in lines if line.startswith("0::"))
        members = (kernel.groups / path.removeprefix("0::/") / "cgroup.procs").read_text()
    except (OSError, StopIteration):
        return True
    return str(pid) in members.split()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True
