"""How fast does a file of many gigabytes arrive, how much memory does it take, and when can it be shared?

It is compared with `cp` plus a sync and with tusd (`make tusd`), which doesn't sync. A row's files are removed before
the next begins. The first argument is the size in gigabytes (10), the second the number of rounds (1).
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import ROOT, free_port, report, server, status_bytes
from benchmarks.load.large_files import became, create, large_picture, patch, post, shareable
from tests.support.images.pictures import camera_photo

GB = 10**9
START_S = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One run: seconds to the reply, bytes that the server's memory grew by, seconds from last byte to shareable."""

    seconds: float
    growth_bytes: int | None = None
    shareable_s: float | None = None
    durable_s: float | None = None


def copied(source: Path, folder: Path) -> Row:
    """`cp`, and a sync of what it wrote."""
    began_s = time.perf_counter()
    subprocess.run(["cp", source, folder / "copy"], check=True)
    copied_s = time.perf_counter()
    _sync(folder / "copy")
    ended_s = time.perf_counter()
    return Row(ended_s - began_s, durable_s=ended_s - copied_s)


def by_tusd(source: Path, folder: Path) -> Row:
    with _tusd(folder) as (pid, url):
        before = _forgotten_peak(pid)
        answer = patch(create(url, source.stat().st_size), source)
        growth = status_bytes(pid, "VmHWM") - before
        [received] = [path for path in folder.iterdir() if path.stat().st_size == source.stat().st_size]
        began_s = time.perf_counter()
        _sync(received)
        return Row(answer.came_s - answer.began_s, growth, durable_s=time.perf_counter() - began_s)


def by_tus(source: Path, _folder: Path) -> Row:
    with server() as running:
        before = _forgotten_peak(running.process.pid)
        where = create(f"{running.url}/api/v1/uploads", source.stat().st_size)
        answer = patch(where, source)
        shared_s = shareable(running.url, became(where))
        growth = running.memory_bytes("VmHWM") - before
        return Row(answer.came_s - answer.began_s, growth, shared_s - answer.last_byte_s, 0.0)


def by_post(source: Path, _folder: Path) -> Row:
    with server() as running:
        before = _forgotten_peak(running.process.pid)
        answer = post(running.url, source)
        shared_s = shareable(running.url, json.loads(answer.body))
        growth = running.memory_bytes("VmHWM") - before
        return Row(answer.came_s - answer.began_s, growth, shared_s - answer.last_byte_s, 0.0)


@contextlib.contextmanager
def _tusd(folder: Path) -> Iterator[tuple[int, str]]:
    port = free_port()
    command = [str(ROOT / "build/bin/tusd"), "-host", "127.0.0.1", "-port", str(port), "-upload-dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/files/"
    try:
        _wait_for(url)
        yield process.pid, url
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str) -> None:
    asked = urllib.request.Request(url, method="OPTIONS", headers={"Tus-Resumable": "1.0.0"})
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        with contextlib.suppress(OSError), urllib.request.urlopen(asked):
            return
        time.sleep(0.05)
    raise SystemExit("tusd did not get ready")


def _forgotten_peak(pid: int) -> int:
    """What is resident now, from where its peak is measured anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return status_bytes(pid, "VmRSS")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


ROWS: dict[str, Callable[[Path, Path], Row]] = {
    "cp, then a sync": copied,
    "tusd 2.8, one PATCH": by_tusd,
    "ours by tus, one PATCH": by_tus,
    "ours by raw POST": by_post,
}


def _measured(size: int, turns: int) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {name: [] for name in ROWS}
    with tempfile.TemporaryDirectory(prefix="appliance-large-") as folder:
        source = Path(folder, "source.jpg")
        large_picture(source, camera_photo(), size)
        for _ in range(turns):
            for name, run in ROWS.items():
                used = Path(folder, "used")
                used.mkdir()
                os.sync()  # what others wrote is not this row's
                rows[name].append(run(source, used))
                shutil.rmtree(used)
    return rows


def _shown(name: str, runs: list[Row], size: int) -> tuple[str, ...]:
    def each(figure: Callable[[Row], float | None], digits: int) -> str:
        figures = [figure(run) for run in runs]
        return " ".join("-" if found is None else f"{found:,.{digits}f}" for found in figures)

    return (
        name,
        each(lambda run: size / run.seconds / 1e6, 0),
        each(lambda run: None if run.growth_bytes is None else run.growth_bytes / 1e6, 1),
        each(lambda run: run.shareable_s, 2),
        each(lambda run: run.durable_s, 2),
    )


def main() -> None:
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if not (ROOT / "build/bin/tusd").exists():
        raise SystemExit("tusd is missing: run `make tusd`")
    size = int(gigabytes * GB)
    rows = _measured(size, turns)
    load = " ".join(f"{figure:.1f}" for figure in os.getloadavg())
    header = (
        "way",
        "MB/s to the reply",
        "memory grew by, MB",
        "s from last byte to shareable",
        "s of sync after the reply",
    )
    report(
        "large_uploads",
        f"How does a file of {gigabytes:g} GB arrive? (a figure a turn, {turns} in all; load at the end {load}, of the "
        "sender too)",
        header,
        [_shown(name, runs, size) for name, runs in rows.items()],
    )


if __name__ == "__main__":
    main()
