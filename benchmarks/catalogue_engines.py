"""How do SQLite and PostgreSQL compare as the catalogue of one server, with the same rows?

`python -m benchmarks.catalogue_engines [ROWS]`, with 20 million by default. Everything that is measured goes through
the catalogue's ports, and every change is on disk before the call returns. PostgreSQL runs on the same machine with
its own settings, so a view's look-up crosses no network; its rows come by `appliance catalogue copy`.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from appliance.catalogue.opening import FILE_NAME, opened_move
from appliance.catalogue.ports import Catalogue
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.file import CatalogueFile
from appliance.config.model import Config
from appliance.domain.model import Location
from benchmarks.catalogue_scaling import (
    CALLERS,
    FROM_S,
    READS,
    ROUNDS,
    Figure,
    by_callers,
    expiries,
    inserts,
    percentiles,
    rate,
    reads,
)
from benchmarks.harness import report
from benchmarks.inputs.catalogue_rows import DAY_S, KEPT_DAYS, created_at, images, load
from tests.support.postgres import new_schema, postgres_server

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000_000
INSERTS = 1000  # a round


async def measured(catalogue: Catalogue, slugs: Sequence[str]) -> list[Figure]:
    """Reads of rows that were never read, one after another and by many callers; then what uploads and expiry write."""
    fresh = images(2 * ROUNDS * INSERTS, created_at(ROWS, FROM_S), Location.SPOOL)
    half = len(slugs) // 2
    alone = await reads(catalogue, slugs[:half])

    async def look_up(slug: str) -> None:
        await catalogue.images.get(slug)

    together_s = await by_callers(look_up, slugs[half:])
    return [
        *percentiles("point read, one caller", alone),
        rate(f"point reads a second, {CALLERS} callers", half, [together_s]),
        *await inserts(catalogue, fresh, INSERTS),
        await expiries(catalogue, created_at(ROWS, FROM_S) + KEPT_DAYS * DAY_S),
    ]


def copied(data_dir: Path, url: str) -> float:
    """Seconds in which the rows came to PostgreSQL and were compared."""
    began = time.monotonic()
    with opened_move(Config(data_dir=data_dir), url, server_log=None, tell=print) as move:
        move.run(lambda _: None)
        move.target.release()  # without `retire`: the file is measured afterwards
    return time.monotonic() - began


async def on_sqlite(path: Path, slugs: Sequence[str]) -> list[Figure]:
    async with SqliteCatalogue(path) as catalogue:
        return await measured(catalogue, slugs)


async def on_postgres(url: str, slugs: Sequence[str]) -> list[Figure]:
    async with PostgresCatalogue(url) as catalogue:
        return await measured(catalogue, slugs)


def main() -> None:
    with ExitStack() as until_done:
        folder = Path(until_done.enter_context(tempfile.TemporaryDirectory(prefix="appliance-engines-")))
        folder.chmod(0o755)  # PostgreSQL's user is another one
        (folder / "host").mkdir()
        path = folder / "host" / FILE_NAME
        load(path, 0, ROWS, FROM_S)
        slugs = [image.slug for image in asyncio.run(CatalogueFile(path).sample(2 * READS))]
        url = new_schema(until_done.enter_context(postgres_server(folder, syncing=True)))
        print(f"the copy took {copied(folder / 'host', url):.0f} s", file=sys.stderr)
        columns = [asyncio.run(on_sqlite(path, slugs)), asyncio.run(on_postgres(url, slugs))]
    report(
        "catalogue_engines",
        f"How do SQLite and PostgreSQL compare with {ROWS:,} rows, every change durable? Median (range)",
        ("what", "SQLite", "PostgreSQL"),
        [(figures[0].what, *(figure.shown for figure in figures)) for figures in zip(*columns, strict=True)],
    )


if __name__ == "__main__":
    main()
