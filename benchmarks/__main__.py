"""`make bench`: the short set of the benchmarks in under ten minutes, and a list of what it left out, and why.

What is printed goes to build/benchmarks; the figures that are kept (benchmarks/results) come from the programs
themselves, run alone with what they take when nothing is told.
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
MOST_S = 560.0
GRACE_S = 20.0  # for a program whose time is over to end by itself
MISSING = "skipped: "  # how a program begins the reason for which it can't run here

SHORT: Mapping[str, tuple[str, ...]] = {
    "hot": ("--rounds", "1"),
    "four": ("--rounds", "1", "--count", "30"),
    "cold": ("--short", "--rounds", "1", "--count", "50"),
    "shareable": ("--seconds", "20"),
    "upload": ("--short", "--rounds", "1"),
    "mission": ("--short", "--seconds", "8"),
    "start": (),
    "catalogue": ("1000000",),
    "paths": (),
}
"""The programs of the short set with their arguments, in the order in which they run."""

LONG: Mapping[str, str] = {
    "attacks": "takes minutes, and holds tens of thousands of connections",
    "beside_giant": "takes minutes and 40 GB of disk",
    "beside_giants": "takes minutes, with pictures of 400 million pixels",
    "bounds": "compares with an older installation, which it has to be given",
    "front": "needs Caddy and wrk; it decided how originals are sent",
    "giants": "takes minutes, with pictures of up to 900 million pixels",
    "iiif": "a verdict, which the tests come to as well",
    "lighthouse": "takes minutes, and a browser",
    "main_job": "its questions are those of upload, cold and hot, beside nobody",
    "prewarm": "takes minutes; it decided what is made when",
    "private_places": "a verdict, which the tests come to as well",
    "pyramid": "takes minutes; it decided how pyramids are kept",
    "quality": "takes minutes, for its metric is slow; it has packages of its own, see `make quality`",
    "restore": "takes minutes; `appliance verify` tells each host its own",
    "survival": "takes minutes; the tests do the same to fewer files",
    "tiles": "takes minutes, with a picture of 108 million pixels",
    "upload_large": "takes minutes and 30 GB of disk",
}
"""The programs that are left out, and why."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program of the short set came out: None for well."""

    name: str
    took_s: float
    skipped: str | None = None
    failed: str | None = None


def run(name: str, arguments: Sequence[str], left_s: float) -> Ended:
    """One program, in a process of its own, which prints its table; it is ended when its time is over."""
    if left_s <= 0:
        return Ended(name, 0.0, skipped="no time was left")
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
        return Ended(name, time.monotonic() - began_s, skipped="its time was over")
    last = words.rpartition("\n")[2]
    if process.returncode == 0:
        return Ended(name, time.monotonic() - began_s)
    if last.startswith(MISSING):
        return Ended(name, time.monotonic() - began_s, skipped=last.removeprefix(MISSING))
    print(words, file=sys.stderr)
    return Ended(name, time.monotonic() - began_s, failed=last)


def closing_words(ended: Sequence[Ended], took_s: float) -> str:
    """What ran, what did not, and why."""
    lines = [f"ran {one.name} in {one.took_s:.0f} s" for one in ended if not (one.skipped or one.failed)]
    lines += [f"FAILED {one.name}: {one.failed}" for one in ended if one.failed]
    left_out = {one.name: one.skipped for one in ended if one.skipped}
    left_out.update(LONG)
    lines += [f"skipped {name}: {why}" for name, why in left_out.items()]
    return "\n".join([*lines, f"{took_s:.0f} s in all; the tables are in build/benchmarks"])


def main() -> int:
    """Runs the short set; the exit status is 1 when a program failed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # where it was ignored, the programs would ignore it too
    began_s = time.monotonic()
    ended: list[Ended] = []
    for name, arguments in SHORT.items():
        ended.append(run(name, arguments, MOST_S - (time.monotonic() - began_s)))
    print(closing_words(ended, time.monotonic() - began_s))
    return 1 if any(one.failed for one in ended) else 0


if __name__ == "__main__":
    sys.exit(main())
