"""Who is at the other end of a Unix socket, as the kernel says (SO_PEERCRED), and whether it may give commands."""

import ctypes
import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_PR_SET_CHILD_SUBREAPER = 36
_ROOT = 0


@dataclass(frozen=True, slots=True)
class Peer:
    """The process that connected, and its user. `pid` is 0 for one in a container around this one."""

    pid: int
    uid: int


def peer_of(connection: socket.socket) -> Peer:
    """The process at the other end of a connected Unix socket."""
    pid, uid, _ = _CREDENTIALS.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size),
    )
    return Peer(pid, uid)


def may_command(peer: Peer) -> bool:
    """True for root and this process's own user, but not for what this process has started: its workers.

    A process of ours that is gone, or can't be looked at, may have been a worker's.
    """
    own = os.geteuid()
    if peer.uid != own:
        return peer.uid == _ROOT
    return peer.pid in (0, os.getpid()) or not _descends_from_us(peer.pid)


def keep_orphans() -> None:
    """Makes this process the parent of what its children leave behind, so that all of that still descends from it."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _descends_from_us(pid: int) -> bool:
    us = os.getpid()
    while pid > 1:
        parent = _parent_of(pid)
        if parent is None or parent == us:
            return True
        # Of another user's processes (sudo) the unit shows none. One that had ended would not be the parent any more.
        if parent > 1 and _parent_of(parent) is None and _parent_of(pid) == parent:
            return False
        pid = parent
    return False


def _parent_of(pid: int) -> int | None:
    """None for a process that is gone, or that is not to be seen."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])  # the name before it may hold anything
