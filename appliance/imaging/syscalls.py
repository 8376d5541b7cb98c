"""The system calls that a worker needs once it is warm, and with which arguments. Every other one is refused.

The list was read from traces of workers that inspect, clean, render, cut and tile every format; what libc needs for
threads, memory and a clean end was added. Numbers are those of asm/unistd_64.h and asm-generic/unistd.h.
"""

import resource
from dataclasses import dataclass

_SET_NAME = 15  # PR_SET_NAME: libvips names its threads
_DUPLICATE, _GET_FLAGS, _SET_FLAGS, _GET_STATUS, _DUPLICATE_CLOEXEC = 0, 1, 2, 3, 1030  # F_DUPFD, F_GETFD, F_SETFD …
_IS_TERMINAL, _CLOSE_ON_EXEC = 0x5401, 0x5451  # TCGETS, FIOCLEX
_EMPTY_PATH = 0x1000  # AT_EMPTY_PATH
_NONE, _READ, _READ_WRITE = 0, 1, 3  # PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE
_SHARED, _OWN_MEMORY = 0x01, 0x02 | 0x10 | 0x20 | 0x4000 | 0x20000  # private, fixed, anonymous, noreserve, stack
_MEMFD_FLAGS = 0x01 | 0x02  # close on exec, allow sealing: neither executable nor of huge pages
_THREADS = (0x3D0F00, 0x7D0F00)  # what glibc and musl start a thread with, to the bit; a process has other flags
_LOW = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Test:
    """The 32 bits of argument number `argument`, or the upper 32 where `upper`, are `value` under `mask`."""

    argument: int
    value: int
    mask: int = _LOW
    upper: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A system call: its numbers, and the sets of tests one of which must hold. No set: any arguments will do."""

    x86_64: int | None
    aarch64: int | None
    allowed: tuple[tuple[Test, ...], ...] = ()


def _one_of(argument: int, *values: int) -> tuple[tuple[Test, ...], ...]:
    return tuple((Test(argument, value),) for value in values)


def _no_bits_but(argument: int, bits: int) -> Test:
    return Test(argument, 0, _LOW & ~bits)


def _null(argument: int) -> tuple[Test, ...]:
    return Test(argument, 0), Test(argument, 0, upper=True)


def needed(pid: int, *, stat_by_path: bool) -> dict[str, Call]:
    """Every call that process `pid` needs, by name, the most frequent first.

    `stat_by_path`: this libc asks for a descriptor's facts by newfstatat (glibc before 2.39), and not by fstat.
    """
    calls = {
        "futex": Call(202, 98),
        "lseek": Call(8, 62),
        "read": Call(0, 63),
        "write": Call(1, 64),
        "close": Call(3, 57),
        # W^X: nothing that was written ever runs. Memory that RLIMIT_DATA does not count (shared, growing down, only
        # read, whose page tables grow as well) is not to be had; a file may be mapped to be read.
        "mprotect": Call(10, 226, _one_of(2, _NONE, _READ_WRITE)),
        "mmap": Call(
            9,
            222,
            (
                (Test(2, _READ_WRITE), _no_bits_but(3, _OWN_MEMORY)),
                (Test(2, _NONE), _no_bits_but(3, _OWN_MEMORY)),
                (_no_bits_but(2, _READ), Test(3, _SHARED)),
            ),
        ),
        "munmap": Call(11, 215),
        "mremap": Call(25, 216),
        "brk": Call(12, 214),
        "madvise": Call(28, 233),
        "pread64": Call(17, 67),
        "pwrite64": Call(18, 68),
        "readv": Call(19, 65),
        "writev": Call(20, 66),
        "fstat": Call(5, 80),
        "dup": Call(32, 23),
        "fcntl": Call(72, 25, _one_of(1, _DUPLICATE_CLOEXEC, _DUPLICATE, _GET_FLAGS, _SET_FLAGS, _GET_STATUS)),
        "ioctl": Call(16, 29, _one_of(1, _IS_TERMINAL, _CLOSE_ON_EXEC)),
        "memfd_create": Call(319, 279, ((_no_bits_but(1, _MEMFD_FLAGS),),)),
        # The one socket that it has is a connected pair of the server's, which looks at no address.
        "recvmsg": Call(47, 212),
        "sendmsg": Call(46, 211),
        "sendto": Call(44, 206, (_null(4),)),
        "clone": Call(56, 220, _one_of(0, *_THREADS)),
        "set_robust_list": Call(273, 99),
        "rseq": Call(334, 293),
        "prctl": Call(157, 167, _one_of(0, _SET_NAME)),
        "prlimit64": Call(302, 261, ((Test(0, 0), Test(1, resource.RLIMIT_CPU)),)),  # its own processor time
        "getrusage": Call(98, 165),
        "rt_sigprocmask": Call(14, 135),
        "rt_sigaction": Call(13, 134),
        "rt_sigreturn": Call(15, 139),
        "sigaltstack": Call(131, 132),
        "restart_syscall": Call(219, 128),
        "tgkill": Call(234, 131, _one_of(0, pid)),  # abort()
        "getpid": Call(39, 172),
        "gettid": Call(186, 178),
        "sched_yield": Call(24, 124),
        "sched_getaffinity": Call(204, 123),
        "sysinfo": Call(99, 179),
        "getrandom": Call(318, 278),
        "clock_gettime": Call(228, 113),
        "clock_getres": Call(229, 114),
        "clock_nanosleep": Call(230, 115),
        "nanosleep": Call(35, 101),
        "gettimeofday": Call(96, 169),
        "time": Call(201, None),
        "exit": Call(60, 93),
        "exit_group": Call(231, 94),
    }
    if stat_by_path:
        calls["newfstatat"] = Call(262, 79, _one_of(3, _EMPTY_PATH))
    return calls


ABSENT = {"clone3": Call(435, 435), "statx": Call(332, 291), "membarrier": Call(324, 283)}
"""Calls that libc does without when it finds that the kernel has none: the filter can't see what they are asked for."""
