"""What a worker gives up before it reads a stranger's bytes, and the limits of each order."""

import contextlib
import ctypes
import math
import os
import resource
import signal
from pathlib import Path

from appliance.imaging import landlock, seccomp

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_OVERHEAD_BYTES = 384 * 1024 * 1024
"""Memory for encoders, thread stacks and the intermediate sizes, on top of what decoding may take."""
_MAX_FILES = 64  # some for itself, the source, and an output for each size or tile
_OOM_SCORE = 500
"""Where memory runs out, the kernel takes a worker and not the server."""


def tie_to_parent(parent_pid: int) -> None:
    """End this process with its parent, however that ends; at once if it has ended already."""
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        raise SystemExit("the server ended before its worker began")
    for interrupt in (signal.SIGINT, signal.SIGTERM):  # they reach the whole group; the server ends its workers itself
        signal.signal(interrupt, signal.SIG_IGN)


def enter(decode_bytes: int, output_bytes: int, cpu_s: int) -> tuple[str, ...]:
    """Give up what can be given up, and say which protections are in force.

    Call it with every module imported and before any thread is started: Landlock and seccomp cover a thread and those
    that it starts.
    `decode_bytes` is the memory that decoding may take, `output_bytes` the largest file that may come out, `cpu_s` the
    processor's time of the whole process; an order's share of it is set by `allow_cpu`.
    """
    libc = _libc()
    protections = ["no-new-privileges"] if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 else []
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")
    limit(resource.RLIMIT_DATA, _memory_bytes() + _OVERHEAD_BYTES + decode_bytes)
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, _MAX_FILES)
    limit(resource.RLIMIT_FSIZE, output_bytes)
    limit(resource.RLIMIT_CPU, cpu_s)
    _leave_threads_for_the_server()
    protections += ["memory-limit", "cpu-limit"]
    if len(os.listdir("/proc/self/task")) == 1:
        protections += [f"landlock-{what}" for what in landlock.deny_all(libc)]
        protections += ["seccomp"] if seccomp.deny_all_but_needed(libc) else []
    return tuple(protections)


def _leave_threads_for_the_server() -> None:
    """All workers together may have three quarters of the threads that their user may have, where that is limited.

    The kernel counts by user, so it can't be a worker's own number; processes are not to be had at all (seccomp).
    """
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    if hard != resource.RLIM_INFINITY:
        limit(resource.RLIMIT_NPROC, hard * 3 // 4)


def limit(which: int, max_value: int) -> None:
    """Set a resource limit for good, or leave the stricter one that is in force."""
    hard = resource.getrlimit(which)[1]
    value = max_value if hard == resource.RLIM_INFINITY else min(max_value, hard)
    resource.setrlimit(which, (value, value))


def allow_cpu(seconds: int) -> None:
    """Let this process use so many seconds of CPU from now on; the kernel ends it if it uses more."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = math.ceil(usage.ru_utime + usage.ru_stime)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = used + seconds if hard == resource.RLIM_INFINITY else min(used + seconds, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _memory_bytes() -> int:
    """The private writable memory in use. It is what RLIMIT_DATA counts, and all that can hurt the machine.

    RLIMIT_AS would count the source as well: libvips maps the whole file, which may be larger than memory.
    """
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    return pages * resource.getpagesize()


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
