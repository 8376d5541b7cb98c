"""Does the catalogue stay as fast while it grows?

`python -m benchmarks.catalogue_scaling [ROWS]`; a year of the design load is 182,500,000 rows.

Everything that is measured goes through `SqliteCatalogue`: every change is on disk (`synchronous=FULL`, fsync) before
the call returns. Only the rows between two measurements are inserted in bulk.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from appliance.catalogue.ports import Catalogue
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.file import CatalogueFile
from appliance.domain.model import Image, Location
from benchmarks.harness import report
from benchmarks.inputs.catalogue_rows import DAY_S, KEPT_DAYS, created_at, forget, images, load, remember

T = TypeVar("T")
ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000_000
SIZES = [size for size in (1_000_000, 5_000_000, 10_000_000) if size < ROWS] + [ROWS]
FROM_S = 1_790_000_000
CALLERS = 256
ROUNDS = 5
INSERTS = 5_000  # a round
READS = 20_000
READS_FROM_DISK = 2_000
BATCHES = 10
BATCH = 1000  # what lifecycle.expiry ends at once
A_SECOND = 58  # uploads at the tenfold peak of the design load


@dataclass(frozen=True, slots=True)
class Figure:
    """What was found in a row's unit, how it is shown, and what it was to be."""

    what: str
    value: float
    shown: str
    goal: str = ""


def rate(what: str, count: int, rounds_s: Sequence[float], goal: str = "") -> Figure:
    rates = [count / seconds for seconds in rounds_s]
    median = statistics.median(rates)
    return Figure(what, median, f"{median:,.0f} ({min(rates):,.0f}-{max(rates):,.0f})", goal)


def duration(what: str, seconds: Sequence[float], goal: str = "") -> Figure:
    median = statistics.median(seconds) * 1000
    return Figure(what, median, f"{median:,.1f} ({min(seconds) * 1000:,.1f}-{max(seconds) * 1000:,.1f})", goal)


def percentiles(what: str, seconds: Sequence[float], goal: str = "") -> list[Figure]:
    """Two rows, the median and the 99th percentile, in milliseconds."""
    median, p99 = (value * 1000 for value in (statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]))
    return [
        Figure(f"{what}, ms: p50", median, f"{median:.3f}"),
        Figure(f"{what}, ms: p99", p99, f"{p99:.3f}", goal),
    ]


async def timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def by_callers(work: Callable[[T], Awaitable[object]], these: Sequence[T]) -> float:
    """Seconds for all of them by `CALLERS` at once, each of whom waits for one before it turns to the next."""
    waiting = iter(these)

    async def caller() -> None:
        for each in waiting:
            await work(each)

    return await timed(asyncio.gather(*(caller() for _ in range(CALLERS))))


async def inserts(catalogue: Catalogue, fresh: Iterator[Image], count: int = INSERTS) -> list[Figure]:
    """The row of an upload alone; and all that an upload writes until it is in the store and has its presets."""

    async def whole(image: Image) -> None:
        await catalogue.images.add(image)
        await catalogue.images.mark_shipped(image.slug, image.sha256)
        await catalogue.images.mark_prewarmed([image.slug])

    added = [await by_callers(catalogue.images.add, batch(fresh, count)) for _ in range(ROUNDS)]
    wholes = [await by_callers(whole, batch(fresh, count)) for _ in range(ROUNDS)]
    return [
        rate(f"inserts a second, {CALLERS} callers", count, added, ">= 5,000, flat"),
        rate("whole uploads a second (insert, shipped, prewarmed)", count, wholes),
    ]


def batch(fresh: Iterator[Image], count: int) -> list[Image]:
    return [next(fresh) for _ in range(count)]


async def reads(catalogue: Catalogue, slugs: Sequence[str]) -> list[float]:
    """Seconds of each, one after another; each slug is read for the first time."""
    return [await timed(catalogue.images.get(slug)) for slug in slugs]


async def expiries(catalogue: Catalogue, now_s: int) -> Figure:
    """The rows whose end came first, found and ended, a batch at a time."""

    async def one() -> None:
        slugs = await catalogue.images.due(now_s, BATCH)
        assert len(slugs) == BATCH
        await catalogue.images.expire(slugs, now_s=now_s, erase_after_s=now_s + 7 * DAY_S)

    return duration(f"expiry of {BATCH:,}, ms", [await timed(one()) for _ in range(BATCHES)])


async def backup(catalogue: SqliteCatalogue, path: Path, to: Path, fresh: Iterator[Image]) -> list[Figure]:
    """A checked copy, while uploads go on coming at the design load's peak."""
    waits: list[float] = []

    async def uploads() -> None:
        while True:
            waits.append(await timed(catalogue.images.add(next(fresh))))
            await asyncio.sleep(1 / A_SECOND)

    coming = asyncio.create_task(uploads())
    took_s = await timed(CatalogueFile(path).copy_to(to))
    coming.cancel()
    size = to.stat().st_size
    to.unlink()
    return [
        Figure("backup while uploads go on, s", took_s, f"{took_s:,.1f}"),
        Figure("size of the backup, MB", size / 1e6, f"{size / 1e6:,.0f}"),
        percentiles("insert meanwhile, one caller", waits)[1],
    ]


async def measured(path: Path, size: int) -> list[Figure]:
    """All figures of a file that was filled with `size` rows; it has some more afterwards."""
    chosen = [image.slug for image in await CatalogueFile(path).sample(READS + READS_FROM_DISK)]
    forget(path)
    async with SqliteCatalogue(path) as catalogue:
        from_disk = await reads(catalogue, chosen[READS:])
    remember(path)
    fresh = images(10 * size, created_at(size, FROM_S), Location.SPOOL)
    async with SqliteCatalogue(path) as catalogue:
        found = await inserts(catalogue, fresh)
        read = await reads(catalogue, chosen[:READS])
        found += percentiles("point read, file in memory", read, "< 1, flat")
        found += percentiles("point read, file out of memory", from_disk)
        found.append(await expiries(catalogue, created_at(size, FROM_S) + KEPT_DAYS * DAY_S))
        found += await backup(catalogue, path, path.with_name("backup.sqlite"), fresh)
    row_bytes = path.stat().st_size / (size + (2 * ROUNDS * INSERTS) * (SIZES.index(size) + 1))
    return [*found, Figure("file size a row, bytes", row_bytes, f"{row_bytes:.0f}")]


def grown(first: Figure, last: Figure) -> str:
    return f"{last.value / first.value:.2f}"


def main() -> None:
    columns: list[list[Figure]] = []
    with tempfile.TemporaryDirectory(prefix="appliance-catalogue-") as folder:
        path = Path(folder, "catalogue.sqlite")
        filled = 0
        for size in SIZES:
            began = time.monotonic()
            load(path, filled, size, FROM_S)
            print(f"{size:,} rows; the last {size - filled:,} took {time.monotonic() - began:.0f} s", file=sys.stderr)
            filled = size
            columns.append(asyncio.run(measured(path, size)))
    rows = [
        (figures[0].what, *(figure.shown for figure in figures), grown(figures[0], figures[-1]), figures[0].goal)
        for figures in zip(*columns, strict=True)
    ]
    report(
        "catalogue_scaling",
        "How fast is the catalogue as it grows, every change durable before its caller hears of it? Median (range)",
        ("what", *(f"{size / 1e6:g} M rows" for size in SIZES), "last/first", "goal"),
        rows,
    )


if __name__ == "__main__":
    main()
