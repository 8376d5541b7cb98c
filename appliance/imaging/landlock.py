"""Landlock: the kernel's own refusal of every file, socket, port and foreign signal. Linux 5.13 and newer.

The numbers are those of linux/landlock.h; the three system calls have the same numbers on every architecture.
"""

import ctypes
import os

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION_QUERY = 1

_FILE_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 5: 16, 9: 17}
"""How many file system rights each version knows; a right that is handled and granted nowhere is denied.

The last one is to reach a Unix socket by its path (Linux 7.1).
"""
_NET_RIGHTS_BY_ABI = {4: 2, 10: 4}
"""The same of the network: bind and connect, of TCP and then of UDP (Linux 7.2)."""
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11  # since 6
_NAMES_BY_ABI = {1: "files", 4: "tcp", 6: "signals", 9: "sockets", 10: "udp"}


class Ruleset(ctypes.Structure):
    """What is denied, as the kernel takes it; a version takes as many of the fields as it knows."""

    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def version(libc: ctypes.CDLL) -> int:
    """The Landlock version of this kernel; 0 where there is none, or it is switched off."""
    return max(0, int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_QUERY))))


def everything(abi: int) -> tuple[Ruleset, int]:
    """All that a kernel of this version can deny, and the bytes of it that this version knows."""
    ruleset = Ruleset(
        files=_rights(_FILE_RIGHTS_BY_ABI, abi),
        net=_rights(_NET_RIGHTS_BY_ABI, abi),
        scoped=_ABSTRACT_SOCKETS_AND_SIGNALS if abi >= 6 else 0,
    )
    return ruleset, 8 * (1 + (abi >= 4) + (abi >= 6))


def deny_all(libc: ctypes.CDLL) -> tuple[str, ...]:
    """Denies this thread, and the threads it will start, whatever the kernel can deny, and says what that is.

    Nothing is granted. What is open stays usable. Needs PR_SET_NO_NEW_PRIVS.
    """
    abi = version(libc)
    if abi < 1:
        return ()
    ruleset, size = everything(abi)
    fd = libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if fd < 0:
        return ()
    try:
        if libc.syscall(_RESTRICT_SELF, fd, ctypes.c_uint32(0)):
            return ()
    finally:
        os.close(fd)
    return tuple(name for since, name in _NAMES_BY_ABI.items() if since <= abi)


def _rights(count_by_abi: dict[int, int], abi: int) -> int:
    count = max((count for since, count in count_by_abi.items() if since <= abi), default=0)
    return (1 << count) - 1
