"""The filter itself, on both architectures: its numbers, and what it answers to each call."""

import ctypes
import mmap
import resource

import pytest

from appliance.imaging import landlock
from appliance.imaging.seccomp import Filter
from appliance.imaging.syscalls import ABSENT, needed
from tests.support.programs import require

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386 = 0x40000003
ALLOW, NOT_PERMITTED, ABSENT_CALL, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
PID = 4321
EXECUTABLE, GROWS_DOWN = 4, 0x100
BOTH = pytest.mark.parametrize("architecture", list(AUDIT))


def answer(
    architecture: str, number: int, *arguments: int, audit: int | None = None, stat_by_path: bool = False
) -> int:
    """What the kernel would do: the program carried out, on the data that it is given of a call."""
    program = Filter(architecture, needed(PID, stat_by_path=stat_by_path)).instructions()
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = number.to_bytes(4, "little") + (audit or AUDIT[architecture]).to_bytes(4, "little") + bytes(8)
    data += b"".join((value % 2**64).to_bytes(8, "little") for value in padded)
    register = at = 0
    while True:
        code, if_so, if_not, constant = program[at]
        at += 1
        match code:
            case 0x20:
                register = int.from_bytes(data[constant : constant + 4], "little")
            case 0x54:
                register &= constant
            case 0x15:
                at += if_so if register == constant else if_not
            case 0x06:
                return constant
            case _:
                raise AssertionError(f"no such instruction: {code:#x}")


def number(architecture: str, name: str) -> int:
    found = getattr(needed(PID, stat_by_path=True)[name], architecture)
    assert isinstance(found, int)
    return found


@BOTH
def test_the_numbers_are_those_of_libseccomp(architecture: str) -> None:
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        require("libseccomp.so.2", "the numbers of system calls are compared with its table (Debian: libseccomp2)")
    for name, call in (needed(PID, stat_by_path=True) | ABSENT).items():
        theirs = library.seccomp_syscall_resolve_name_arch(ctypes.c_uint32(AUDIT[architecture]), name.encode())
        assert getattr(call, architecture) == (theirs if theirs >= 0 else None), name


@BOTH
def test_the_program_is_one_that_the_kernel_takes(architecture: str) -> None:
    program = Filter(architecture, needed(PID, stat_by_path=True)).instructions()
    assert len(program) < 4096
    for at, (code, if_so, if_not, constant) in enumerate(program):
        assert max(if_so, if_not) < 256
        assert at + 1 + max(if_so, if_not) < len(program) or code == 0x06
        assert 0 <= constant < 2**32


@BOTH
@pytest.mark.parametrize("name", ["read", "futex", "recvmsg", "exit_group", "munmap"])
def test_what_a_worker_needs_is_allowed(architecture: str, name: str) -> None:
    assert answer(architecture, number(architecture, name), 3, 0, 100) == ALLOW


@BOTH
def test_what_is_on_no_list_is_not_permitted(architecture: str) -> None:
    known = {getattr(call, architecture) for call in (needed(PID, stat_by_path=False) | ABSENT).values()}
    for unknown in set(range(600)) - known:
        assert answer(architecture, unknown, PID, PID, PID) == NOT_PERMITTED
    assert answer(architecture, 435) == ABSENT_CALL


def test_calls_of_another_kind_of_program_end_the_process_or_are_refused() -> None:
    assert answer("x86_64", 3, audit=I386) == KILL
    assert answer("x86_64", 0, audit=AUDIT["aarch64"]) == KILL
    assert answer("x86_64", 0x40000000 | 0) == NOT_PERMITTED  # x32's read


@BOTH
def test_memory_is_never_both_written_and_run_nor_out_of_the_limits_reach(architecture: str) -> None:
    mapped, changed = number(architecture, "mmap"), number(architecture, "mprotect")
    own = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    assert answer(architecture, mapped, 0, 4096, mmap.PROT_READ | mmap.PROT_WRITE, own) == ALLOW
    assert answer(architecture, mapped, 0, 4096, mmap.PROT_READ, mmap.MAP_SHARED) == ALLOW
    assert answer(architecture, mapped, 0, 4096, EXECUTABLE, own) == NOT_PERMITTED
    assert answer(architecture, mapped, 0, 4096, mmap.PROT_WRITE, own | GROWS_DOWN) == NOT_PERMITTED
    assert answer(architecture, mapped, 0, 4096, mmap.PROT_WRITE, mmap.MAP_SHARED) == NOT_PERMITTED
    assert answer(architecture, mapped, 0, 4096, 0, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS) == NOT_PERMITTED
    assert answer(architecture, changed, 0, 4096, mmap.PROT_READ | mmap.PROT_WRITE) == ALLOW
    assert answer(architecture, changed, 0, 4096, mmap.PROT_READ | EXECUTABLE) == NOT_PERMITTED
    assert answer(architecture, mapped, 0, 4096, 0, own) == ALLOW
    assert answer(architecture, mapped, 0, 4096, mmap.PROT_READ, own) == NOT_PERMITTED
    assert answer(architecture, changed, 0, 4096, mmap.PROT_READ) == NOT_PERMITTED


@BOTH
def test_threads_may_be_started_and_processes_may_not(architecture: str) -> None:
    clone = number(architecture, "clone")
    assert answer(architecture, clone, 0x3D0F00) == ALLOW
    assert answer(architecture, clone, 0x3D0F00 | 0x10000000) == NOT_PERMITTED  # a namespace
    assert answer(architecture, clone, 17) == NOT_PERMITTED  # SIGCHLD: a fork
    assert answer(architecture, clone, 0x4111) == NOT_PERMITTED  # a vfork


@BOTH
def test_a_process_may_set_and_signal_itself_alone(architecture: str) -> None:
    limits, signals = number(architecture, "prlimit64"), number(architecture, "tgkill")
    assert answer(architecture, limits, 0, resource.RLIMIT_CPU) == ALLOW
    assert answer(architecture, limits, PID + 1, resource.RLIMIT_CPU) == NOT_PERMITTED
    assert answer(architecture, limits, 0, resource.RLIMIT_DATA) == NOT_PERMITTED
    assert answer(architecture, signals, PID, PID, 6) == ALLOW
    assert answer(architecture, signals, PID + 1, PID + 1, 6) == NOT_PERMITTED


@BOTH
def test_no_address_may_be_named_in_any_half_of_a_pointer(architecture: str) -> None:
    send = number(architecture, "sendto")
    assert answer(architecture, send, 3, 0, 9, 0, 0) == ALLOW
    assert answer(architecture, send, 3, 0, 9, 0, 0x1000) == NOT_PERMITTED
    assert answer(architecture, send, 3, 0, 9, 0, 1 << 32) == NOT_PERMITTED


@BOTH
def test_paths_may_be_looked_at_only_where_libc_can_not_do_without(architecture: str) -> None:
    stat = number(architecture, "newfstatat")
    assert answer(architecture, stat, 3, 0, 0, 0x1000) == NOT_PERMITTED
    assert answer(architecture, stat, 3, 0, 0, 0x1000, stat_by_path=True) == ALLOW
    assert answer(architecture, stat, 3, 0, 0, 0, stat_by_path=True) == NOT_PERMITTED


@pytest.mark.parametrize(
    ("abi", "files", "net", "scoped", "size"),
    [
        (1, 13, 0, 0, 8), (2, 14, 0, 0, 8), (3, 15, 0, 0, 8), (4, 15, 2, 0, 16), (5, 16, 2, 0, 16),
        (6, 16, 2, 2, 24), (8, 16, 2, 2, 24), (9, 17, 2, 2, 24), (10, 17, 4, 2, 24), (11, 17, 4, 2, 24),
    ],
)  # fmt: skip
def test_landlock_is_asked_for_all_that_its_version_knows_and_no_more(
    abi: int, files: int, net: int, scoped: int, size: int
) -> None:
    ruleset, told = landlock.everything(abi)
    assert (ruleset.files, ruleset.net, ruleset.scoped) == tuple(2**count - 1 for count in (files, net, scoped))
    assert told == size
