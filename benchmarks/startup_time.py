"""How long from exec to the first 200 of /readyz, and how much memory does an idle server use?

It measures an empty data directory, and one with a million rows and a cache filled to its default limit with small
sparse files: a start reads names and sizes, never contents.
"""

import compileall
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.catalogue.opening import FILE_NAME
from appliance.config.model import Config
from appliance.domain.renditions import edition_of
from benchmarks.harness import ROOT, RunningServer, children, report, server
from benchmarks.inputs.catalogue_rows import forget, images, load

ROWS = 1_000_000
FILES = 400_000
FROM_S = 1_790_000_000
ROUNDS = 11
REST_S = 1.0
MB = 1_000_000
KINDS = ("Pss", "Rss")


def fill_cache(config: Config) -> None:
    """As many files as bring the cache to its bound, a folder for each image."""
    presets = config.renditions.presets
    home = config.cache_dir / "renditions" / edition_of(presets)
    for image in images(FILES // len(presets), FROM_S):
        folder = home / image.slug[-2:] / image.slug
        folder.mkdir(parents=True)
        for preset in presets:
            with (folder / f"{preset.name}.jpg").open("wb") as file:
                file.truncate(config.cache.disk_bytes // FILES)


def starts(data_dir: Path, before: Callable[[], None]) -> tuple[list[float], list[float]]:
    """Seconds from exec to ready, of a server that was stopped well the last time; and the processor's until then."""
    found, used = [], []
    for _ in range(ROUNDS):
        before()
        began = time.perf_counter()
        with server(data_dir) as running:
            found.append(time.perf_counter() - began)
            used.append(running.cpu_s())
    return found, used


def memory(data_dir: Path) -> dict[str, list[int]]:
    """Bytes of the server, and of each of its workers, by `KINDS`, once it does nothing any more."""
    with server(data_dir) as running:
        rest(running)
        pids = (running.process.pid, *children(running.process.pid))
        return {kind: [rolled_up(pid, kind) for pid in pids] for kind in KINDS}


def rest(running: RunningServer) -> None:
    """Until the server and its workers have used less than a hundredth of a core for a second."""
    used_s = -1.0
    while running.cpu_s() - used_s > REST_S / 100:
        used_s = running.cpu_s()
        time.sleep(REST_S)


def rolled_up(pid: int, kind: str) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(kind)


def time_rows(what: str, found: tuple[Sequence[float], Sequence[float]]) -> list[tuple[str, ...]]:
    took, used = (f"{statistics.median(s):.2f} s ({min(s):.2f}-{max(s):.2f})" for s in found)
    return [(f"exec to ready, {what}", took, "< 1 s"), ("  processors' time until then, workers included", used, "")]


def memory_rows(what: str, found: dict[str, list[int]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for kind, (own, *workers) in found.items():
        each = ", ".join(f"{worker / MB:.0f}" for worker in workers)
        shown = f"{(own + sum(workers)) / MB:.0f} MB (server {own / MB:.0f}, {len(workers)} workers {each})"
        rows.append((f"{kind.upper()} at rest, {what}", shown, ""))
    return rows


def main() -> None:
    rows: list[tuple[str, ...]] = []
    compileall.compile_dir(ROOT / "appliance", quiet=1)  # as an installation does
    with tempfile.TemporaryDirectory(prefix="appliance-start-") as folder:
        empty, full = Path(folder, "empty"), Config(data_dir=Path(folder, "full"))
        empty.mkdir()
        full.data_dir.mkdir()
        load(full.data_dir / FILE_NAME, 0, ROWS, FROM_S)
        fill_cache(full)
        os.sync()
        words = f"{ROWS / 1e6:g} M rows, {FILES:,} files in the cache"
        rows += time_rows("nothing in it", starts(empty, lambda: None))
        rows += time_rows(words, starts(full.data_dir, lambda: None))
        rows += time_rows(
            "the same, catalogue out of memory", starts(full.data_dir, lambda: forget(full.data_dir / FILE_NAME))
        )
        rows += memory_rows("nothing in it", memory(empty))
        rows += memory_rows("the same as above, cache counted", memory(full.data_dir))
    report(
        "startup_time",
        "How soon is a server ready, and what does it take when nobody asks?",
        ("what", "median (range)", "goal"),
        rows,
    )


if __name__ == "__main__":
    main()
