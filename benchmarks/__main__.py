"""`make bench`: runs the short set of benchmarks in under ten minutes, and lists those it leaves out, and why.

The tables go to build/benchmarks. Those in benchmarks/results come from single programs, run with their defaults.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAX_S = 560.0
GRACE_S = 20.0  # in which a program whose time is over may end by itself
MISSING = "skipped: "  # begins the line in which a program says why it can't run here

SHORT: Mapping[str, tuple[str, ...]] = {
    "cached_rendition": ("--rounds", "1"),
    "all_sizes": ("--rounds", "1", "--count", "30"),
    "cold_renditions": ("--short", "--rounds", "1", "--count", "50"),
    "time_until_shareable": ("--seconds", "20"),
    "upload_throughput": ("--short", "--rounds", "1"),
    "design_load": ("--short", "--seconds", "8"),
    "startup_time": (),
    "catalogue_scaling": ("1000000",),
    "call_paths": (),
}
"""The programs of the short set with their arguments, in the order they run."""

LONG: Mapping[str, str] = {
    "latency_under_attack": "takes minutes, and holds tens of thousands of connections",
    "small_uploads_during_large_upload": "takes minutes and 40 GB of disk",
    "views_during_giant_images": "takes minutes, with images of 400 million pixels",
    "cpu_per_request": "compares with an older installation, whose path it needs",
    "rate_limit_overhead": "takes minutes; a release is compared with limits on and off",
    "cost_of_refusals": "measures what only a flood meets",
    "upload_flood": "takes minutes, and floods the machine",
    "caddy_overhead": "needs Caddy and wrk; it settled how originals are sent",
    "giant_images": "takes minutes, with images of up to 900 million pixels",
    "iiif_conformance": "a pass or fail, which the tests check as well",
    "page_speed": "takes minutes, and a browser",
    "largest_paint": "takes minutes, and a browser",
    "upload_page_ready": "takes minutes, and a browser",
    "single_image_latency": "upload_throughput, cold_renditions and cached_rendition measure the same under load",
    "prewarm_or_on_demand": "takes minutes; it settled what is prewarmed",
    "metadata_removal": "a pass or fail, which the tests check as well",
    "pyramid_formats": "takes minutes; it settled the format of pyramids",
    "colour_fidelity": "takes minutes; the tests check the same by bounds",
    "rendition_quality": "takes minutes and packages of its own: `make quality`",
    "backup_and_restore": "takes minutes; `appliance verify` reports a host's own figures",
    "moving_the_catalogue": "needs PostgreSQL; it is done once in a host's life",
    "one_box": "needs PostgreSQL, and compares ways to use several cores",
    "catalogue_engines": "needs PostgreSQL, and minutes to fill it",
    "several_nodes": "needs PostgreSQL and MinIO, and takes minutes",
    "database_failures": "needs PostgreSQL, and takes minutes",
    "interrupted_uploads": "takes minutes; the tests do the same with fewer files",
    "tile_latency": "takes minutes, with an image of 108 million pixels",
    "large_uploads": "takes minutes and 30 GB of disk",
}
"""The programs that the short set leaves out, and why."""


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """How a program of the short set ended: with neither reason, it succeeded."""

    name: str
    took_s: float
    skipped: str | None = None
    failed: str | None = None


def run_program(name: str, arguments: Sequence[str], left_s: float) -> ProgramResult:
    """Run one program in a process of its own; stop it when `left_s` seconds are over."""
    if left_s <= 0:
        return ProgramResult(name, 0.0, skipped="no time was left")
    began_s = time.monotonic()
    environment = {"BENCHMARKS_RESULTS": str(ROOT / "build" / "benchmarks")} | os.environ
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        words = process.communicate(timeout=left_s)[1].strip()
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # as by Ctrl-C: it takes its servers down
        try:
            process.communicate(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return ProgramResult(name, time.monotonic() - began_s, skipped="its time was over")
    last = words.rpartition("\n")[2]
    if process.returncode == 0:
        return ProgramResult(name, time.monotonic() - began_s)
    if last.startswith(MISSING):
        return ProgramResult(name, time.monotonic() - began_s, skipped=last.removeprefix(MISSING))
    print(words, file=sys.stderr)
    return ProgramResult(name, time.monotonic() - began_s, failed=last)


def summarise(ended: Sequence[ProgramResult], took_s: float) -> str:
    """A line for each program: how long it ran, or why it failed or was skipped."""
    lines = [f"ran {one.name} in {one.took_s:.0f} s" for one in ended if not (one.skipped or one.failed)]
    lines += [f"FAILED {one.name}: {one.failed}" for one in ended if one.failed]
    left_out = {one.name: one.skipped for one in ended if one.skipped}
    left_out.update(LONG)
    lines += [f"skipped {name}: {why}" for name, why in left_out.items()]
    return "\n".join([*lines, f"{took_s:.0f} s in all; the tables are in build/benchmarks"])


def main() -> int:
    """Run the short set; the exit status is 1 if a program failed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # where it was ignored, the programs would ignore it too
    began_s = time.monotonic()
    ended: list[ProgramResult] = []
    for name, arguments in SHORT.items():
        ended.append(run_program(name, arguments, MAX_S - (time.monotonic() - began_s)))
    print(summarise(ended, time.monotonic() - began_s))
    return 1 if any(one.failed for one in ended) else 0


if __name__ == "__main__":
    sys.exit(main())
