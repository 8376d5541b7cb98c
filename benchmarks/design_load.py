"""How many times the design load does this machine hold with 95 % of its views in 300 ms, and how many would 16 cores?

MinIO shares the cores, and on two cores so do the clients. Cold views ask for images whose sizes are in no cache and
whose originals are in MinIO alone, like those of last year. The load grows until two steps don't hold: too many of
their views are slow, or one is refused or fails. Then the same runs on one core with one worker, which checks the model
that predicts the load from the cores.

AVIF and WebP that the server renders while it is idle are no cost of a load: the higher it is, the fewer there are.
They are counted apart, by the CPU time of their lane, and no step waits for them. Each view comes from an address of
its own, so a host with too much to do refuses some as it would in earnest.
"""

import argparse
import contextlib
import math
import os
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.catalogue.opening import FILE_NAME
from benchmarks.harness import RunningServer, cpu_s, first_thread_cpu_s, report, server
from benchmarks.load.open_loop import (
    COLD,
    MIX,
    OWN,
    PAGE,
    POPULAR,
    PROXIED,
    UPLOAD,
    VIEWS_PER_S,
    Gallery,
    Host,
    Outcome,
    arrivals,
    play,
    rates,
)
from benchmarks.peers.minio import store_settings
from tests.support.programs import find_minio
from tests.support.servers import Server, minio_server

GOAL_MULTIPLE, GOAL_S = 4.5, 0.3
MULTIPLES = {2: (1.0, 2.0, 3.0, 4.0, GOAL_MULTIPLE, 5.0, 6.0), 1: (0.5, 1.0, 1.5, 2.0, 2.5)}
POPULAR_IMAGES = 300
BOX_CORES = 16
QUIET_S, PATIENCE_S, IDLE = 0.5, 60.0, 0.1
LOOP_BUSY = 0.7  # of one thread; busier, and what waits for it grows fast
HEADER = (
    "cores",
    "load",
    "views/s",
    "views, ms: median",
    "p95",
    "popular p95",
    "share page p95",
    "just uploaded p95",
    "cold p95",
    "upload p95",
    "refused",
    "failed",
    "cores a design load: ours + MinIO",
    "event loop",
    "cores rendering while idle",
    "clients' cores",
    "behind by, s",
)
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Used:
    """Processor seconds so far: ours with its workers, but for what is rendered while it is `idle`; its event loop's
    thread alone, MinIO, and the senders.
    """

    ours: float
    idle: float
    loop: float
    minio: float
    senders: float

    def since(self, before: "Used") -> "Used":
        return Used(
            self.ours - before.ours,
            self.idle - before.idle,
            self.loop - before.loop,
            self.minio - before.minio,
            self.senders - before.senders,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """So many seconds of a multiple of the design load; `used` counts all that followed of it, `behind_s` how long."""

    cores: int
    multiple: float
    seconds: float
    outcomes: list[Outcome]
    used: Used
    behind_s: float

    def took(self, *kinds: str) -> list[float]:
        return [outcome.took_s for outcome in self.outcomes if outcome.kind in kinds]

    @property
    def faults(self) -> list[str]:
        return [outcome.fault for outcome in self.outcomes if outcome.fault]

    @property
    def refused(self) -> int:
        """Requests that were answered with 503, because there was too much to do."""
        return sum(fault.startswith("503 ") for fault in self.faults)

    @property
    def holds(self) -> bool:
        return p95(self.took(*MIX)) < GOAL_S and not self.faults

    def cost(self, used_s: float) -> float:
        """Processor seconds a second for each design load."""
        return used_s / self.seconds / self.multiple


class Machine:
    """A server and its MinIO, and what they use."""

    def __init__(self, running: RunningServer, minio: Server) -> None:
        self._running = running
        self._minio = minio

    def used(self) -> Used:
        running = self._running
        return Used(
            running.foreground_cpu_s(),
            running.background_cpu_s(),
            first_thread_cpu_s(running.process.pid),
            cpu_s(self._minio.pid),
            time.process_time(),
        )

    def settle(self) -> float:
        """Wait until nothing is done any more, but for rendering while idle; how many seconds that took."""
        began_s = time.perf_counter()
        while time.perf_counter() - began_s < PATIENCE_S:
            before = self.used()
            time.sleep(QUIET_S)
            used = self.used().since(before)
            if used.ours + used.minio < IDLE * QUIET_S:
                return time.perf_counter() - began_s - QUIET_S
        return PATIENCE_S


def forgotten(data: Path, minio: Server, count: int) -> list[str]:
    """The slugs of images whose sizes are taken for made and gone since, and whose originals the store alone has."""
    with minio, server(data, **store_settings(minio), RENDITIONS_PREWARM="") as running:
        slugs = Host(running.url, random.Random(1)).fill(count)
        Machine(running, minio).settle()
    shutil.rmtree(data / "spool/copies")
    with contextlib.closing(sqlite3.connect(data / FILE_NAME)) as catalogue, catalogue:
        catalogue.execute("UPDATE images SET prewarmed = 1")
    return slugs


@contextlib.contextmanager
def pinned(cores: int) -> Iterator[None]:
    """What is started in here has so many cores."""
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(all_cores)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


def climb(cores: int, data: Path, minio: Server, cold: Iterator[str], seconds: float) -> list[Step]:
    """Steps of growing load, up to the second that does not hold: what is too much for a host should cost few views."""
    chance, steps = random.Random(cores), []
    with contextlib.ExitStack() as stack:
        with pinned(cores):
            stack.enter_context(minio)
            running = stack.enter_context(
                server(data, **store_settings(minio), **PROXIED, RENDITIONS_WORKERS=str(cores))
            )
        machine, host = Machine(running, minio), Host(running.url, chance, first=cores * 10**6)
        gallery = Gallery(host.lay_down(POPULAR_IMAGES), cold, chance)
        for multiple in MULTIPLES[cores]:
            machine.settle()
            before = machine.used()
            outcomes = play(arrivals(chance, rates(multiple), seconds), lambda kind: host.act(gallery, kind))
            behind_s = machine.settle()
            steps.append(Step(cores, multiple, seconds, outcomes, machine.used().since(before), behind_s))
            if sum(not step.holds for step in steps) == 2:
                break
    return steps


def p95(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def row(step: Step) -> Row:
    views, used = step.took(*MIX), step.used
    return (
        str(step.cores),
        f"{step.multiple:g}x",
        f"{len(views) / step.seconds:.0f}",
        f"{statistics.median(views) * 1000:.1f}",
        f"{p95(views) * 1000:.0f}",
        *(f"{p95(step.took(kind)) * 1000:.0f}" for kind in (POPULAR, PAGE, OWN, COLD, UPLOAD)),
        str(step.refused),
        str(len(step.faults) - step.refused),
        f"{step.cost(used.ours):.2f} + {step.cost(used.minio):.2f}",
        f"{step.cost(used.loop):.3f}",
        f"{used.idle / (step.seconds + step.behind_s):.2f}",
        f"{used.senders / step.seconds:.2f}",
        f"{step.behind_s:.0f}",
    )


def held(steps: Sequence[Step], cores: int) -> float:
    """The greatest multiple that held."""
    return max((step.multiple for step in steps if step.cores == cores and step.holds), default=0.0)


def model(steps: Sequence[Step]) -> list[str]:
    """From cores to load, in words: from what a design load costs when it is dearest, and how busy a thread may be."""
    well = [step for step in steps if step.cores == 2 and step.holds] or steps[:1]
    cost = max(step.cost(step.used.ours + step.used.minio) for step in well)
    loop = max(step.cost(step.used.loop) for step in well)
    on_one, on_two = held(steps, 1), held(steps, 2)
    by_cores, by_loop = BOX_CORES / cost, LOOP_BUSY / loop
    outcome = "met" if on_two >= GOAL_MULTIPLE else "missed"
    return [
        f"Goal: >= {GOAL_MULTIPLE:g}x on 2 cores: {outcome}. "
        f"Held: {on_two:g}x on 2 cores, {on_one:g}x on 1 core with 1 worker.",
        f"Model: a design load takes up to {cost:.2f} cores with all sizes of its uploads; the event loop {loop:.3f}.",
        f"Nothing falls behind up to {2 / cost:.1f}x on 2 cores and {1 / cost:.1f}x on 1; beyond, views go first.",
        f"{BOX_CORES} cores make that {by_cores:.0f}x; an event loop {LOOP_BUSY:.0%} busy gives {by_loop:.0f}x.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each step")
    parser.add_argument("--short", action="store_true", help="two cores alone")
    arguments = parser.parse_args()
    if find_minio() is None:
        raise SystemExit("skipped: minio is missing; `make minio` builds it")
    counts = [2] if arguments.short else [2, 1]
    most = sum(sum(MULTIPLES[cores]) for cores in counts) * rates(1)[COLD] * arguments.seconds
    steps: list[Step] = []
    with tempfile.TemporaryDirectory(prefix="appliance-mission-") as name:
        data, minio = Path(name, "data"), minio_server(Path(name, "minio"))
        cold = iter(forgotten(data, minio, math.ceil(most * 1.3)))
        for cores in counts:
            steps += climb(cores, data, minio, cold, arguments.seconds)
    question = (
        f"How many times the design load (5.8 uploads of 1 MB and {VIEWS_PER_S:.0f} views a second)\n"
        f"with 95 % of the views in {GOAL_S * 1000:.0f} ms? Open loop, {arguments.seconds:g} s a step; views: "
        + ", ".join(f"{share:.0%} {kind}" for kind, share in MIX.items())
    )
    report("design_load", "\n".join([question, *model(steps)]), HEADER, [row(step) for step in steps])


if __name__ == "__main__":
    main()
