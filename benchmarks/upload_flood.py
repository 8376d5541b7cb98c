"""What do people see while uploads flood the host at 100 times the design load, from 1, 100 and 10,000 addresses?

People view at the design load, each view from an address of its own, and a phone uploads a photograph each two
seconds, on an upload page that it opens for each. It does what this page does, and counts from the choice of the
photograph, two seconds after the page has come: while it is asked for proofs of work, the page solves a challenge
meanwhile; where it is refused all the same, it solves another, which counts. How long the host makes it wait, without
the solving, is given apart. The flood solves nothing. Flood, people and host share the machine, and what each of them
takes of it is given; with `--apart` the flood has a core of its own, and the others share the rest. The host's limits
are on as they come, but for the amount that all without a key may upload in a day: 400 MB, which is what the flood may
put on the disk at most. The phone's network gets three tenths of what the flood leaves of it. The flood gets there only
if what comes before doesn't hold: proof of work keeps nearly all of it out, and the slow lane lets in a few a second.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from benchmarks.harness import RunningServer, distinct, report, server
from benchmarks.inputs.photographs import mean_photo
from benchmarks.load.flooder import BROKEN, WAITING
from benchmarks.load.kept_connections import KeptConnections, Reply
from benchmarks.load.open_loop import (
    PRESETS,
    UPLOAD,
    UPLOADS_PER_S,
    VIEWS_PER_S,
    Host,
    Outcome,
    arrivals,
    play,
)
from benchmarks.load.upload_page import CHOOSING_S, UploadPage

ADDRESSES = (0, 1, 100, 10_000)
TIMES = 100
IMAGES = 100
VIEW, UPLOAD_EVERY_S = "view", 2.0
SAMPLE_S = 0.2
ANONYMOUS_BYTES = 400_000_000
PHONE = "203.0.113.9"
SETTINGS = {
    "SERVER_TRUSTED_PROXIES": "127.0.0.1",
    "LIMITS_MODE": "on",
    "LIMITS_ANONYMOUS_DAY_BYTES": str(ANONYMOUS_BYTES),
}
HEADER = (
    "addresses",
    "uploads/s sent or waiting to be",
    "answered/s",
    "what came of them",
    "views, ms: p95",
    "slowest",
    "phone's upload, ms: p95",
    "slowest",
    "without its solving: p95",
    "solved ahead, refused first",
    "failed",
    "memory, MB: before, max",
    "disk, MB",
    "cores: host, flood, people",
)


class People:
    """Viewers, each from an address of its own, and a phone that uploads; a trusted proxy stands before them."""

    def __init__(self, running: RunningServer, slugs: list[str]) -> None:
        self._connections = KeptConnections(running.url)
        self._slugs = slugs
        self._photo = mean_photo()
        self._numbers = count(10**6)
        self._chance = random.Random(7)
        self.pages: list[UploadPage] = []

    def live(self, seconds: float) -> list[Outcome]:
        """What they saw in so many seconds."""
        rates = {VIEW: VIEWS_PER_S, UPLOAD: 1 / UPLOAD_EVERY_S}
        return play(arrivals(self._chance, rates, seconds), self._act)

    def _act(self, kind: str) -> Reply:
        if kind == UPLOAD:
            return self._upload()
        address = f"198.18.{self._chance.randrange(256)}.{self._chance.randrange(256)}"
        path = f"/i/{self._chance.choice(self._slugs)}/{self._chance.choice(PRESETS)}.jpg"
        return self._connections.ask("GET", path, headers={"X-Forwarded-For": address})

    def _upload(self) -> Reply:
        page = UploadPage(self._connections, {"X-Forwarded-For": PHONE})
        self.pages.append(page)
        return page.upload(distinct(self._photo, next(self._numbers)))


class MaxMemory:
    """The server process's resident memory, sampled while the block runs."""

    def __init__(self, running: RunningServer) -> None:
        self._running = running
        self.before_bytes = self.max_bytes = running.memory_bytes()

    @contextmanager
    def sampled(self) -> Iterator[None]:
        done = threading.Event()

        def sample() -> None:
            while not done.wait(SAMPLE_S):
                self.max_bytes = max(self.max_bytes, self._running.memory_bytes())

        thread = threading.Thread(target=sample)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


@dataclass(slots=True)
class Flood:
    """What came of a flood: its answers, and the processor seconds that it took itself."""

    answers: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0

    @property
    def answered(self) -> int:
        """How many uploads got a response."""
        return self.answers.total() - self.answers[BROKEN] - self.answers[WAITING]


@contextmanager
def flood(port: int, addresses: int, seconds: float, cores: set[int]) -> Iterator[Flood]:
    """A flood during the block, which lasts as long; what came of it is known at the end. None from no address."""
    found = Flood()
    if not addresses:
        yield found
        return
    said = [str(port), str(addresses), str(TIMES * UPLOADS_PER_S), str(seconds)]
    command = [sys.executable, "-c", "from benchmarks.load.flooder import main; main()", *said]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        os.sched_setaffinity(process.pid, cores)
        if process.stdout.readline() != b"begun\n":
            raise SystemExit("the flood did not begin")
        yield found
        said_last = json.loads(process.stdout.readline())
        found.answers, found.cpu_s = Counter(said_last["answers"]), said_last["cpu_s"]


def disk_bytes(folder: Path) -> int:
    """What the files in it take."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def measured(addresses: int, seconds: float, *, is_apart: bool) -> tuple[str, ...]:
    """A row: a fresh host, its people, and the flood, which may have the last core for itself."""
    cores = os.sched_getaffinity(0)
    flood_cores = {max(cores)} if is_apart else cores
    os.sched_setaffinity(0, cores - flood_cores if is_apart else cores)  # the host inherits it
    try:
        name = f"{addresses:,}, apart" if is_apart else f"{addresses:,}"
        return name, *_measured(addresses, seconds, flood_cores)
    finally:
        os.sched_setaffinity(0, cores)


def _measured(addresses: int, seconds: float, flood_cores: set[int]) -> tuple[str, ...]:
    with TemporaryDirectory(prefix="appliance-bench-") as folder:
        with server(Path(folder), LIMITS_MODE="off") as running:
            slugs = Host(running.url, random.Random(1)).lay_down(IMAGES)
        return flooded(Path(folder), slugs, addresses, seconds, flood_cores)


def flooded(folder: Path, slugs: list[str], addresses: int, seconds: float, flood_cores: set[int]) -> tuple[str, ...]:
    """The rest of the row, of a host that has these images in its folder."""
    with server(folder, **SETTINGS) as running:
        people, memory = People(running, slugs), MaxMemory(running)
        disk_before = disk_bytes(running.data_dir)
        host_before_s, own_before_s = running.cpu_s(), time.process_time()
        with flood(running.port, addresses, seconds + CHOOSING_S, flood_cores) as came, memory.sampled():
            outcomes = people.live(seconds)
        busy_s = running.cpu_s() - host_before_s, came.cpu_s, time.process_time() - own_before_s
        disk = disk_bytes(running.data_dir) - disk_before
    views, uploads = [one.took_s for one in outcomes if one.kind == VIEW], [page.took_s for page in people.pages]
    seconds += CHOOSING_S
    return (
        f"{came.answers.total() / seconds:.0f}",
        f"{came.answered / seconds:.0f}",
        ", ".join(f"{answer}: {number}" for answer, number in came.answers.most_common()) or "-",
        f"{p95_ms(views):.0f}",
        f"{max(views) * 1000:.0f}",
        f"{p95_ms(uploads):.0f}",
        f"{max(uploads) * 1000:.0f}",
        f"{p95_ms([page.took_s - page.solving_s for page in people.pages]):.0f}",
        f"{sum(page.solved_ahead for page in people.pages)}, {sum(page.was_refused for page in people.pages)}"
        f" of {len(uploads)}",
        ", ".join(f"{fault}: {number}" for fault, number in faults(outcomes).most_common()) or "0",
        f"{memory.before_bytes / 1e6:.0f}, {memory.max_bytes / 1e6:.0f}",
        f"{disk / 1e6:.0f}",
        ", ".join(f"{each / seconds:.2f}" for each in busy_s),
    )


def faults(outcomes: list[Outcome]) -> Counter[str]:
    """What failed, and how often: its kind with what came instead of a good answer."""
    return Counter(f"{one.kind}: {one.fault}" for one in outcomes if one.fault)


def p95_ms(seconds: list[float]) -> float:
    return quantiles(seconds, n=20, method="inclusive")[-1] * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of each flood")
    parser.add_argument("--addresses", type=int, nargs="+", default=ADDRESSES, help="how many flood; 0: no flood")
    parser.add_argument("--apart", type=int, nargs="*", default=(), help="how many flood from a core of their own")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = [measured(addresses, arguments.seconds, is_apart=False) for addresses in arguments.addresses]
    rows += [measured(addresses, arguments.seconds, is_apart=True) for addresses in arguments.apart]
    question = (
        f"What do people see while {TIMES * UPLOADS_PER_S:.0f} uploads of 1 MB a second, {TIMES} times the design\n"
        f"load, flood the host from so many addresses for {arguments.seconds:g} s? They view at the design load\n"
        f"({VIEWS_PER_S:.0f} a second), and a phone uploads 1 MB each {UPLOAD_EVERY_S:g} s. 0: no flood.\n"
        "Apart: the flood has a core of its own, and the others share the rest. Cores: how many each kept busy."
    )
    report("upload_flood", question, HEADER, rows)


if __name__ == "__main__":
    main()
