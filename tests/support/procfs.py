"""Processes as the kernel shows them in /proc: children, memory, bytes read."""

from pathlib import Path


def children_of(pid: int) -> list[int]:
    """Living children of a process."""
    running = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    found = [(other, *_state_and_parent(other)) for other in running]
    return [other for other, state, parent in found if parent == pid and state not in "ZX"]


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    return _state_and_parent(pid)[0] not in "ZX"


def _state_and_parent(pid: int) -> tuple[str, int]:
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return "X", 0
    return state, int(parent)


def rss_bytes(pid: int) -> int:
    return _status_bytes(pid, "VmRSS")


def forget_peak(pid: int) -> None:
    """Start measuring the peak of resident memory anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_rss_bytes(pid: int) -> int:
    """The most resident memory since `forget_peak`."""
    return _status_bytes(pid, "VmHWM")


def read_bytes(pid: int) -> int:
    """What the process has read from files, be they in memory or on the disk; sockets and mapped files do not count."""
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("rchar:"):
            return int(line.split()[1])
    raise LookupError("rchar")


def _status_bytes(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)
