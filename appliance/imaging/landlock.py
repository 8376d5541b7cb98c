"""Landlock: the kernel's own refusal of every file, TCP port and foreign signal. Linux 5.13 and newer.

The numbers are those of linux/landlock.h; the three system calls have the same numbers on every architecture.
"""

import ctypes
import os

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION_QUERY = 1

_FILE_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many file system rights each version knows; a right that is handled and granted nowhere is denied."""
_TCP_BIND_AND_CONNECT = 0b11  # since 4
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11  # since 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def version(libc: ctypes.CDLL) -> int:
    """The Landlock version of this kernel; 0 where there is none, or it is switched off."""
    return max(0, int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_QUERY))))


def deny_all(libc: ctypes.CDLL) -> tuple[str, ...]:
    """Denies this thread, and the threads it will start, whatever the kernel can deny, and says what that is.

    Nothing is granted. What is open stays usable. Needs PR_SET_NO_NEW_PRIVS.
    """
    abi = version(libc)
    if abi < 1:
        return ()
    rights = max(count for since, count in _FILE_RIGHTS_BY_ABI.items() if since <= abi)
    ruleset = _Ruleset(
        files=(1 << rights) - 1,
        net=_TCP_BIND_AND_CONNECT if abi >= 4 else 0,
        scoped=_ABSTRACT_SOCKETS_AND_SIGNALS if abi >= 6 else 0,
    )
    size = 8 * (1 + (abi >= 4) + (abi >= 6))
    fd = libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if fd < 0:
        return ()
    try:
        if libc.syscall(_RESTRICT_SELF, fd, ctypes.c_uint32(0)):
            return ()
    finally:
        os.close(fd)
    return ("files", *(("tcp",) if abi >= 4 else ()), *(("signals",) if abi >= 6 else ()))
