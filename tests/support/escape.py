"""Hostile code inside a real worker: a program that starts as one, and answers `find-private` by trying each way out.

It runs in the place of a worker (see `test_sandbox_escapes`). What it may try with comes as JSON in the source file;
what it found goes back as JSON in the file of the edits. `--without-cage`: a kernel with neither Landlock nor seccomp.
"""

import ctypes
import fcntl
import json
import mmap
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.domain.model import KeepMetadata
from appliance.imaging import landlock, seccomp, worker
from appliance.workers.answers import Edited

PARENT, USER, GROUP, IS_ARM = os.getppid(), os.getuid(), os.getgid(), os.uname().machine == "aarch64"
LIBC = ctypes.CDLL(None, use_errno=True)
MPTCP = 262
MSG_FASTOPEN = 0x20000000
EXECUTABLE = 0x4
GROWS_DOWN = 0x100


def system(x86_64: int, aarch64: int | None, *arguments: Any) -> Callable[[], None]:
    def call() -> None:
        number = aarch64 if IS_ARM else x86_64
        if number is None:
            raise PermissionError("no such call here")
        result = LIBC.syscall(number, *arguments)
        if result == 0 and number in (56, 57, 58, 220, 435):  # a child
            os._exit(0)
        if result < 0:
            raise OSError(ctypes.get_errno(), "call")

    return call


def connected(path: str) -> Callable[[], None]:
    def call() -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)

    return call


def drain(path: str) -> None:
    """Ask the server to take no uploads."""
    body = b'{"drained": true}'
    head = f"POST /drain HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(head.encode() + body)
        if b" 403 " in client.recv(1000):
            raise PermissionError


def drain_by_an_orphan(path: str) -> None:
    """The same by a grandchild whose parent has ended, in a session of its own."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        os.setsid()
        left_by = os.getpid()
        if os.fork() == 0:
            while os.getppid() == left_by:
                os.sched_yield()
            theirs.send(outcome(lambda: drain(path)).encode())
        os._exit(0)
    os.wait()
    if ours.recv(100) == b"PermissionError":
        raise PermissionError


def open_socket(family: int, kind: int, protocol: int = 0) -> Callable[[], None]:
    return lambda: socket.socket(family, kind, protocol).close()


def fast_open(port: int) -> None:
    with socket.socket() as client:
        client.sendto(b"data", MSG_FASTOPEN, ("127.0.0.1", port))


def tcp(port: int) -> None:
    with socket.socket() as client:
        client.connect(("127.0.0.1", port))


def udp(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"data", ("127.0.0.1", port))


def write_and_run() -> None:
    """Machine code that was written."""
    mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_WRITE | EXECUTABLE).close()


def make_executable() -> None:
    page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    if LIBC.mprotect(ctypes.c_void_p(address), 4096, mmap.PROT_READ | EXECUTABLE):
        raise OSError(ctypes.get_errno(), "mprotect")


def run_from_memory() -> None:
    fd = os.memfd_create("program")
    os.write(fd, b"#!/bin/sh\nexit 0\n")
    os.execve(fd, ["program"], {})


def write_limits(pid: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1))


def owned_signals(pid: int) -> None:
    """A signal to another, by way of a descriptor whose owner it is."""
    fcntl.fcntl(worker_socket(), fcntl.F_SETOWN, pid)


def worker_socket() -> int:
    return int(sys.argv[-5])


def write_to_a_sibling(pid: int) -> None:
    with Path(f"/proc/{pid}/mem").open("r+b") as memory:
        memory.read(1)


def terminal_input() -> None:
    fcntl.ioctl(2, 0x5412, b"x")  # TIOCSTI


def calls(victim: int, path: bytes) -> dict[str, tuple[tuple[int, int | None], tuple[Any, ...]]]:
    """System calls by number, past libc and Python: of x86_64, of aarch64, and their arguments."""
    room = ctypes.create_string_buffer(256)
    return {
        "fork": ((57, None), ()), "vfork": ((58, None), ()),
        "clone3": ((435, 435), (struct.pack("=11Q", *[0] * 4, signal.SIGCHLD, *[0] * 6), 88)),
        "execveat": ((322, 281), (-100, b"/bin/true", 0, 0, 0)), "tkill": ((200, 130), (victim, 0)),
        "rt_sigqueueinfo": ((129, 138), (victim, 0, 0)), "pidfd_getfd": ((438, 438), (0, 0, 0)),
        "pidfd_send_signal": ((424, 424), (0, 0, 0, 0)), "io_uring_setup": ((425, 425), (1, room)),
        "bpf": ((321, 280), (0, 0, 0)), "perf_event_open": ((298, 241), (room, 0, -1, -1, 0)),
        "userfaultfd": ((323, 282), (1,)), "keyctl": ((250, 219), (0, -3, 1)),
        "add_key": ((248, 217), (b"user", b"x", b"x", 1, -3)), "mount": ((165, 40), (b"x", b"/", b"tmpfs", 0, 0)),
        "setns": ((308, 268), (0, 0)), "unshare": ((272, 97), (268435456,)), "shmget": ((29, 194), (0, 4096, 896)),
        "semget": ((64, 190), (0, 1, 896)), "msgget": ((68, 186), (0, 896)), "inotify_init1": ((294, 26), (0,)),
        "fanotify_init": ((300, 262), (0, 0)), "memfd_secret": ((447, 447), (0,)),
        "openat2": ((437, 437), (-100, path, room, 24)), "name_to_handle_at": ((303, 264), (-100, path, 0, 0, 0)),
        "open_tree": ((428, 428), (-100, path, 0)), "fsopen": ((430, 430), (b"tmpfs", 0)),
        "seccomp": ((317, 277), (0, 0, 0)), "kcmp": ((312, 272), (os.getpid(), PARENT, 0, 0, 0)),
        "process_madvise": ((440, 440), (0, 0, 0, 0, 0)), "process_mrelease": ((448, 448), (0, 0)),
        "migrate_pages": ((256, 238), (victim, 0, 0, 0)), "move_pages": ((279, 239), (victim, 0, 0, 0, 0, 0)),
        "get_robust_list": ((274, 100), (victim, 0, 0)), "acct": ((163, 89), (0,)),
        "sched_setattr": ((314, 274), (victim, 0, 0)), "ioprio_set": ((251, 30), (1, victim, 16391)),
        "pkey_mprotect": ((329, 288), (0, 0, 4, -1)), "setxattrat": ((463, 463), (-100, path, 0, b"user.x", 0, 0)),
        "landlock_create_ruleset": ((444, 444), (0, 0, 1)), "syslog": ((103, 116), (10, 0, 0)),
        "timer_create": ((222, 107), (0, 0, 0)), "eventfd2": ((290, 19), (0, 0)), "pipe2": ((293, 59), (room, 0)),
        "splice": ((275, 76), (0, 0, 0, 0, 0, 0)), "sendfile": ((40, 71), (0, 0, 0, 0)),
        "copy_file_range": ((326, 285), (0, 0, 0, 0, 0, 0)), "utimensat": ((280, 88), (-100, path, 0, 0)),
        "capset": ((126, 91), (0, 0)), "swapon": ((167, 224), (path, 0)), "quotactl": ((179, 60), (0, 0, 0, 0)),
        "new namespace": ((56, 220), (0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)),
        "clone a process": ((56, 220), (signal.SIGCHLD, 0, 0, 0, 0)),
        "ptrace the parent": ((101, 117), (16, PARENT, 0, 0)), "vm read": ((310, 270), (victim, 0, 0, 0, 0, 0)),
        "vm write": ((311, 271), (victim, 0, 0, 0, 0, 0)), "name a process": ((434, 434), (victim, 0)),
        "mqueue": ((240, 180), (b"queue", os.O_CREAT, 0o600, 0)),
        "chmod by number": ((452, 452), (-100, path, 0o777, 0)), "personality": ((135, 92), (0x0040000,)),
    }  # fmt: skip


def ways_out(given: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """Each by its name; every one of them has to fail."""
    victim, port, control, path = given["victim"], given["port"], given["control"], given["path"]
    inside = str(Path(path).parent / "made")
    text = path.encode()
    ways: dict[str, Callable[[], Any]] = {
        "control socket": connected(control),
        "drain by the control socket": lambda: drain(control),
        "drain by a child that was left behind": lambda: drain_by_an_orphan(control),
        "control socket by /proc": connected(f"/proc/self/cwd/..{control}"),
        "abstract socket": connected(f"\0{given['abstract']}"),
        "tcp": open_socket(socket.AF_INET, socket.SOCK_STREAM),
        "tcp connect": lambda: tcp(port),
        "mptcp": open_socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP),
        "tcp fast open": lambda: fast_open(port),
        "udp": lambda: udp(port),
        "icmp": open_socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
        "netlink": open_socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "vsock": open_socket(socket.AF_VSOCK, socket.SOCK_STREAM),
        "crypto socket": open_socket(socket.AF_ALG, socket.SOCK_SEQPACKET),
        "packet socket": open_socket(socket.AF_PACKET, socket.SOCK_RAW),
        "socket pair": socket.socketpair,
        "listen": lambda: socket.create_server(("127.0.0.1", 0)).close(),
        "fork by libc": lambda: os._exit(0) if os.fork() == 0 else None,
        "setsid": os.setsid,
        "setpgid": lambda: os.setpgid(0, 0),
        "run": lambda: os.execv("/bin/true", ["true"]),
        "run from memory": run_from_memory,
        "run what was written": write_and_run,
        "make executable": make_executable,
        "kill": lambda: os.kill(victim, signal.SIGKILL),
        "kill the parent": lambda: os.kill(PARENT, signal.SIGCONT),
        "kill the group": lambda: os.killpg(0, signal.SIGCONT),
        "signal by owner": lambda: owned_signals(victim),
        "limits of another": lambda: write_limits(victim),
        "limits of the parent": lambda: write_limits(PARENT),
        "threads without end": lambda: resource.setrlimit(resource.RLIMIT_NPROC, (2**20, 2**20)),
        "files without end": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096)),
        "memory without end": lambda: resource.setrlimit(resource.RLIMIT_DATA, (-1, -1)),
        "processor without end": lambda: resource.setrlimit(resource.RLIMIT_CPU, (-1, -1)),
        "shared memory": lambda: mmap.mmap(-1, 1 << 20).close(),
        "memory that is only read": lambda: mmap.mmap(
            -1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ
        ).close(),
        "memory that no limit counts": lambda: mmap.mmap(
            -1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | GROWS_DOWN
        ).close(),
        "nice": lambda: os.setpriority(os.PRIO_PROCESS, 0, 19),
        "nice of another": lambda: os.setpriority(os.PRIO_PROCESS, victim, 19),
        "scheduler of another": lambda: os.sched_setscheduler(victim, os.SCHED_IDLE, os.sched_param(0)),
        "cores of another": lambda: os.sched_setaffinity(victim, {0}),
        "read": lambda: Path(path).read_bytes(),
        "write": lambda: Path(path).write_bytes(b"x"),
        "truncate": lambda: os.truncate(path, 0),
        "list": lambda: os.listdir("/"),
        "environment of the parent": lambda: Path(f"/proc/{PARENT}/environ").read_bytes(),
        "memory of another": lambda: write_to_a_sibling(victim),
        "chmod": lambda: Path(path).chmod(0o777),
        "chown": lambda: os.chown(path, USER, GROUP),
        "utime": lambda: os.utime(path, (0, 0)),
        "setxattr": lambda: os.setxattr(path, "user.x", b"x"),
        "getxattr": lambda: os.getxattr(path, "user.appliance"),
        "listxattr": lambda: os.listxattr(path),
        "removexattr": lambda: os.removexattr(path, "user.appliance"),
        "fsetxattr": lambda: os.setxattr(0, "user.x", b"x"),
        "fchmod": lambda: os.fchmod(0, 0o777),
        "unlink": lambda: Path(path).unlink(),
        "rename": lambda: Path(path).rename(inside),
        "link": lambda: os.link(path, inside),
        "symlink": lambda: Path(inside).symlink_to(path),
        "mkdir": lambda: Path(inside).mkdir(),
        "mkfifo": lambda: os.mkfifo(inside),
        "mknod": lambda: os.mknod(inside),
        "chdir": lambda: os.chdir("/tmp"),
        "chroot": lambda: os.chroot("/"),
        "umask": lambda: os.umask(0),
        "readlink": lambda: Path("/proc/self/exe").readlink(),
        "access": lambda: None if os.access(path, os.F_OK) else denied(),
        "statfs": lambda: os.statvfs(path),
        "setuid": lambda: os.setuid(USER),
        "setgroups": lambda: os.setgroups([]),
        "terminal": terminal_input,
        "dumpable": lambda: checked(LIBC.prctl(4, 1, 0, 0, 0)),
        "outlive the parent": lambda: checked(LIBC.prctl(1, 0, 0, 0, 0)),
        "filter off": lambda: checked(LIBC.prctl(22, ctypes.c_ulong(0), 0, 0, 0)),
    }
    return ways | {f"{name} (call)": system(*numbers, *given) for name, (numbers, given) in calls(victim, text).items()}


def checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "call")


def denied() -> None:
    raise PermissionError


def outcome(action: Callable[[], Any]) -> str:
    """`out`, or the name of the error that stood in the way."""
    try:
        action()
    except OSError as error:
        return type(error).__name__ if isinstance(error, PermissionError) else f"errno {error.errno}"
    except (ValueError, MemoryError) as error:  # how Python tells of some limits
        return f"{type(error).__name__}: {error}"
    return "out"


def attempt_all(fd: int, keep: KeepMetadata, outputs: list[int]) -> Edited:
    given = json.loads(os.pread(fd, 100_000, 0))
    found = {name: outcome(way) for name, way in ways_out(given).items() if name in given.get("only", [name])}
    outputs.append(worker._in_memory("report", json.dumps(found).encode()))
    return Edited(complete=True)


if __name__ == "__main__":
    if sys.argv[1] == "--without-cage":
        landlock.deny_all = lambda libc: ()
        seccomp.deny_all_but_needed = lambda libc: False
        del sys.argv[1]
    worker._edited = attempt_all
    worker.main(sys.argv[1:])
