"""seccomp: the kernel's own refusal of every system call that is not on the list. Linux 3.5 and newer.

The filter is a program of classic BPF, made here and handed over by prctl(2), for the unit leaves no seccomp(2). The
numbers are those of linux/filter.h, linux/seccomp.h and linux/audit.h.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from appliance.imaging.syscalls import ABSENT, Call, Test, needed

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD, _AND, _IF_EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06  # BPF_LD|W|ABS, BPF_ALU|AND|K, BPF_JMP|JEQ|K, BPF_RET|K
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16  # in struct seccomp_data; both architectures are little-endian
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_FSTAT_SINCE = (2, 39)  # of glibc; before, fstat() asked newfstatat

Instruction = tuple[int, int, int, int]
"""What to do, how many instructions to skip if so and if not, and the constant."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The program for one architecture."""

    architecture: str
    calls: Mapping[str, Call]

    def instructions(self) -> list[Instruction]:
        """One block for each call; what is in none is refused. Another architecture's calls end the process."""
        program = [
            (_LOAD, 0, 0, _ARCHITECTURE_AT),
            (_IF_EQUAL, 1, 0, _ARCHITECTURES[self.architecture]),
            (_RETURN, 0, 0, _KILL_PROCESS),
            (_LOAD, 0, 0, _NUMBER_AT),
        ]
        for call in self.calls.values():
            program += self._block(call, list(_allowed(call)))
        for call in ABSENT.values():
            program += self._block(call, [_refused(errno.ENOSYS)])
        return [*program, _refused(errno.EPERM)]

    def _block(self, call: Call, body: list[Instruction]) -> list[Instruction]:
        number = getattr(call, self.architecture)
        return [] if number is None else [(_IF_EQUAL, 0, len(body), number), *body]


def _allowed(call: Call) -> Iterator[Instruction]:
    if not call.allowed:
        yield (_RETURN, 0, 0, _ALLOW)
        return
    for tests in call.allowed:
        rest: list[Instruction] = [(_RETURN, 0, 0, _ALLOW)]
        for test in reversed(tests):
            rest = [*_tested(test, len(rest)), *rest]
        yield from rest
    yield _refused(errno.EPERM)


def _tested(test: Test, skipped: int) -> list[Instruction]:
    """Loads and compares an argument; skips so many instructions if it is another."""
    load = (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * test.argument + 4 * test.upper)
    masked = [] if test.mask == 0xFFFFFFFF else [(_AND, 0, 0, test.mask)]
    return [load, *masked, (_IF_EQUAL, 0, skipped, test.value)]


def _refused(number: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | number)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def deny_all_but_needed(libc: ctypes.CDLL) -> bool:
    """Refuses this thread, and the threads it will start, every call that workers don't need; False where it can't.

    It lasts as long as the process does. Needs PR_SET_NO_NEW_PRIVS.
    """
    architecture = platform.machine()
    if architecture not in _ARCHITECTURES or ctypes.sizeof(ctypes.c_void_p) != 8:  # a small Python on a large kernel
        return False
    calls = needed(os.getpid(), stat_by_path=_stats_by_path())
    packed = b"".join(struct.pack("=HBBI", *one) for one in Filter(architecture, calls).instructions())
    buffer = ctypes.create_string_buffer(packed, len(packed))
    program = _Program(len(packed) // 8, ctypes.addressof(buffer))
    return int(libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(program), 0, 0)) == 0


def _stats_by_path() -> bool:
    if "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return False
    version = (os.confstr("CS_GNU_LIBC_VERSION") or "glibc 0.0").removeprefix("glibc ")
    return tuple(map(int, version.split(".")[:2])) < _FSTAT_SINCE
