"""The harness: a real server for each benchmark, distinct photographs, and a table that names the machine."""

import contextlib
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(os.environ.get("BENCHMARKS_RESULTS", ROOT / "benchmarks" / "results"))
START_S = 90.0  # of a busy machine
OURS = Path(sys.executable).with_name("appliance")
VERSIONS = ("aiohttp", "pyvips-binary", "minio")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningServer:
    """`appliance serve` on a data directory of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, metrics_port: int, data_dir: Path) -> None:
        self.process = process
        self.port = port
        self.metrics_url = f"http://127.0.0.1:{metrics_port}/metrics"
        self.data_dir = data_dir
        self.url = f"http://127.0.0.1:{port}"

    def cpu_s(self) -> float:
        """Processor seconds of the server and its workers so far."""
        return cpu_s(self.process.pid, *children(self.process.pid))

    def foreground_cpu_s(self) -> float:
        """The same without what is made in the background."""
        return self.cpu_s() - self.background_cpu_s()

    def background_cpu_s(self) -> float:
        """Processor seconds of pyramids, and of renditions that are made while the server is idle."""
        return self.metric('worker_cpu_seconds_total{lane="background"}')

    def metric(self, name: str) -> float:
        """The value of the metric with this name and labels, without the prefix of all."""
        with urllib.request.urlopen(self.metrics_url) as answer:
            found = re.search(rf"^appliance_{re.escape(name)} (\S+)$", answer.read().decode(), re.M)
        if found is None:
            raise SystemExit(f"the server's metrics lack {name}")
        return float(found[1])

    def memory_bytes(self, field: str = "VmRSS") -> int:
        """Resident memory of the server process alone."""
        return status_bytes(self.process.pid, field)


@contextlib.contextmanager
def server(kept_in: Path | None = None, program: Path = OURS, /, **settings: str) -> Iterator[RunningServer]:
    """A running server; `settings` are the variables without their prefix, such as RENDITIONS_PREWARM.

    Its data directory goes with it, unless it is `kept_in` one that another server takes up. `program` is the
    `appliance` of another installation.
    """
    port, metrics_port = free_port(), free_port()
    data_dir = kept_in or Path(tempfile.mkdtemp(prefix="appliance-bench-"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("APPLIANCE_")}
    environment |= {"APPLIANCE_DATA_DIR": str(data_dir), "APPLIANCE_SERVER_LISTEN": f"127.0.0.1:{port}"}
    environment["APPLIANCE_SERVER_METRICS_LISTEN"] = f"127.0.0.1:{metrics_port}"
    environment |= {f"APPLIANCE_{name}": value for name, value in settings.items()}
    process = subprocess.Popen([program, "serve"], env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait_ready(port)
        yield RunningServer(process, port, metrics_port, data_dir)
    finally:
        process.terminate()
        process.wait()
        if kept_in is None:
            shutil.rmtree(data_dir)


def _wait_ready(port: int) -> None:
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            if answer.status == 200:
                return
        time.sleep(0.005)
    raise SystemExit("the server did not get ready")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_s(*pids: int) -> float:
    """Processor seconds of these processes, and of their children that have ended, so far."""
    return sum(_ticks(Path(f"/proc/{pid}/stat"), 4) for pid in pids) / os.sysconf("SC_CLK_TCK")


def first_thread_cpu_s(pid: int) -> float:
    """Processor seconds of a process's first thread, in which its event loop runs."""
    return _ticks(Path(f"/proc/{pid}/task/{pid}/stat"), 2) / os.sysconf("SC_CLK_TCK")


def idle_s() -> tuple[float, float]:
    """Seconds that the cores have been idle so far, added up: with nothing to do, and waiting for a disk."""
    idle, waiting = Path("/proc/stat").read_text().split(maxsplit=6)[4:6]  # after `cpu`, user, nice and system
    return int(idle) / os.sysconf("SC_CLK_TCK"), int(waiting) / os.sysconf("SC_CLK_TCK")


def _ticks(stat: Path, fields: int) -> int:
    """The first of utime, stime, cutime and cstime (proc(5)), together."""
    return sum(int(field) for field in stat.read_text().rpartition(")")[2].split()[11 : 11 + fields])


def status_bytes(pid: int, field: str) -> int:
    """A memory field of /proc/PID/status, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def distinct(photo: bytes, number: int) -> bytes:
    """The same photograph as another file: a comment segment behind the JPEG's first marker."""
    comment = f"copy {number:08}".encode()
    return photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]


def spread(seconds: Sequence[float]) -> str:
    """Median and the 5th to 95th percentile, in milliseconds."""
    if len(seconds) < 2:
        return f"{seconds[0] * 1000:.1f}"
    cuts = statistics.quantiles(seconds, n=20)
    return f"{statistics.median(seconds) * 1000:.1f} ({cuts[0] * 1000:.1f}-{cuts[-1] * 1000:.1f})"


def _processor() -> str:
    """Its model as the kernel knows it, or the architecture alone."""
    known = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return known[1] if known else platform.machine()


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    ]


def report(
    name: str,
    question: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    more: Sequence[str] = (),
    *,
    is_whole: bool = True,
) -> None:
    """Print the table and keep it, with its date, machine and versions, in benchmarks/results or BENCHMARKS_RESULTS.

    `more` are lines that follow the table. One that isn't whole is not kept: it would replace one that is.
    """
    kernel = platform.release().partition("-")[0]
    lines = [
        question,
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}), Linux {kernel}, "
        f"Python {platform.python_version()}, " + ", ".join(f"{part} {version(part)}" for part in VERSIONS),
        " ".join(["command: python -m", f"benchmarks.{name}", *sys.argv[1:]]),
        "",
        *format_table(header, rows),
        *more,
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if not is_whole:
        return
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.txt").write_text(text)
