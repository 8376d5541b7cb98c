"""How long does it take to move a catalogue of a million rows from its file to PostgreSQL, and back?

`python -m benchmarks.moving_the_catalogue [ROWS]`. The last pass is the time for which no server runs: a thousandth of
the rows changed since the first one, and as many are new. PostgreSQL runs on the same machine, with fsync.
"""

import asyncio
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from appliance.catalogue.opening import FILE_NAME
from appliance.catalogue.sql.connection import Connection as Rows
from appliance.catalogue.sql.outcome import Outcome
from appliance.config.model import Config
from benchmarks.harness import OURS, report
from benchmarks.inputs.catalogue_rows import add_rows, load
from tests.support.moves import FileToDatabase, compared
from tests.support.postgres import new_schema, postgres_server

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
SPAWN = multiprocessing.get_context("spawn")
FROM_S = 1_790_000_000
CHANGED = 1000  # one row of so many, between the passes
ADDED = 50_000  # rows by which the price of the log is measured
CHANGE = f"UPDATE images SET title = 'newer', version = version + 1 WHERE rowid % {CHANGED} = 0"


@dataclass(frozen=True, slots=True)
class Measured:
    """Something that took a while: how many rows it was about, and the processor time of its process."""

    what: str
    rows: int
    took_s: float
    cpu_s: float


def copied(what: str, data_dir: Path, to: str, url: str | None = None) -> Measured:
    """Run the command as people do."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("APPLIANCE_")}
    environment |= {"APPLIANCE_DATA_DIR": str(data_dir)} | ({"APPLIANCE_CATALOGUE_URL": url} if url else {})
    began, cpu_s = time.monotonic(), _cpu_of_ended_s()
    finished = subprocess.run(
        [OURS, "catalogue", "copy", "--to", to], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    [rows] = compared(finished.stdout)
    return Measured(what, rows, time.monotonic() - began, _cpu_of_ended_s() - cpu_s)


def _cpu_of_ended_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def moved(data_dir: Path, url: str) -> list[Measured]:
    """The passes to the database; a server changes rows before the second one and before the last."""
    ours, its = SPAWN.Pipe()
    server = SPAWN.Process(target=serve, args=(data_dir, url, its))
    server.start()
    ours.recv()
    first = copied("to PostgreSQL, while a server runs", data_dir, url)
    _ask(ours, ROWS)
    second = copied("again, while it runs", data_dir, url)
    _ask(ours, ROWS + ROWS // CHANGED)
    ours.send(None)
    server.join()
    return [first, second, copied("the last pass, while no server runs", data_dir, url)]


def _ask(server: Connection, added: int) -> None:
    server.send(added)
    server.recv()


def serve(data_dir: Path, url: str, orders: Connection) -> None:
    """A server, in a process of its own: it obeys no command that descends from it."""
    asyncio.run(_serve(data_dir, url, orders))


async def _serve(data_dir: Path, url: str, orders: Connection) -> None:
    async with FileToDatabase(Config(data_dir=data_dir), data_dir / FILE_NAME, url).served() as server:
        orders.send(None)
        while (added := await asyncio.to_thread(orders.recv)) is not None:
            await server.writer.run(partial(use, added))
            orders.send(None)


def use(added: int, connection: Rows) -> Outcome[None]:
    """What a server changes between two passes; so many rows were added before."""
    connection.execute(CHANGE)
    add_rows(connection, added, added + ROWS // CHANGED, FROM_S)
    return Outcome(None)


async def logged(folder: Path, *, is_logged: bool) -> Measured:
    """What a server needs to add rows in one transaction."""
    data_dir = folder / f"logged-{is_logged}"
    data_dir.mkdir()
    async with FileToDatabase(Config(data_dir=data_dir), data_dir / FILE_NAME, "").served() as server:
        if is_logged:
            assert server.change_log is not None
            await server.change_log.begin_turn()

        def add(connection: Rows) -> Outcome[None]:
            add_rows(connection, 0, ADDED, FROM_S)
            return Outcome(None)

        began, cpu_s = time.monotonic(), time.process_time()
        await server.writer.run(add)
        took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_s
    return Measured(f"a server adds rows, {'logged' if is_logged else 'not logged'}", ADDED, took_s, cpu_s)


def measured(folder: Path) -> list[Measured]:
    data_dir = folder / "host"
    data_dir.mkdir()
    load(data_dir / FILE_NAME, 0, ROWS, FROM_S)
    with postgres_server(folder, syncing=True) as server:
        url = new_schema(server)
        passes = moved(data_dir, url)
        back = copied("back to a new file, while no server runs", data_dir, f"sqlite:{folder / 'back.sqlite'}", url)
    costs = [asyncio.run(logged(folder, is_logged=is_logged)) for is_logged in (False, True)]
    return [*passes, back, *costs]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="appliance-moving-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's user is another one
        rows = measured(Path(folder))
    report(
        "moving_the_catalogue",
        f"How long does it take to move a catalogue of {ROWS:,} rows to PostgreSQL, and back?",
        ("what", "rows", "seconds", "processor seconds"),
        [(each.what, f"{each.rows:,}", f"{each.took_s:.1f}", f"{each.cpu_s:.2f}") for each in rows],
    )


if __name__ == "__main__":
    main()
