"""What does one more server process bring on one machine, and what is the share of the database?

The same host as one process on a catalogue in a file, as one on PostgreSQL, and as two on PostgreSQL, asked in turns;
MinIO, PostgreSQL and the clients share the cores. Rates depend on what else these do; processor time a request hardly.
"""

import argparse
import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from appliance.config.model import Config
from appliance.domain.errors import CommandFailed, ServerNotRunning
from appliance.server.control import ask_status
from benchmarks.harness import RunningServer, children, cpu_s, distinct, report, server
from benchmarks.inputs.photographs import mean_photo
from benchmarks.load.kept_connections import KeptConnections
from benchmarks.peers.minio import store_settings
from tests.support.postgres import new_schema, postgres_server
from tests.support.programs import find_minio
from tests.support.servers import Server, minio_server

CLIENTS = 8
UPLOADS = 48  # a round
VIEWS = 1500
START_S = 120
HEADER = (
    "server",
    "request",
    "a second: median (range)",
    "processor ms a request: servers",
    "workers",
    "PostgreSQL",
    "MinIO",
)


@dataclass(slots=True)
class Figures:
    """Of each round: requests a second, and processor ms a request of servers, workers, PostgreSQL and MinIO."""

    rates: list[float] = field(default_factory=list)
    costs: list[tuple[float, ...]] = field(default_factory=list)

    def row(self, name: str, request: str) -> tuple[str, ...]:
        costs = [f"{statistics.median(column):.2f}" for column in zip(*self.costs, strict=True)]
        low, high = min(self.rates), max(self.rates)
        return (name, request, f"{statistics.median(self.rates):.0f} ({low:.0f}-{high:.0f})", *costs)


class Box:
    """A server of one or several processes, and what they and their neighbours have used."""

    def __init__(self, running: RunningServer, processes: int, postgres: Server, minio: Server) -> None:
        self.running = running
        self._processes = processes
        self._postgres = postgres
        self._minio = minio
        self._lines = KeptConnections(running.url)
        self._photo = mean_photo()
        self._sent = 0
        self.slug = ""
        self.figures = {"upload of 1 MB": Figures(), "cached view": Figures()}

    def used(self) -> tuple[float, ...]:
        """Processor seconds so far of servers, workers, PostgreSQL and MinIO."""
        first = self.running.process.pid
        servers = [first, *(children(first) if self._processes > 1 else ())]
        workers = [worker for pid in servers[-self._processes :] for worker in children(pid)]
        database = [self._postgres.pid, *children(self._postgres.pid)]
        return tuple(cpu_s(*pids) for pids in (servers, workers, database, [self._minio.pid]))

    def measure(self, request: str, ask: Callable[[], int], *, is_kept: bool) -> None:
        """One round; `ask` returns how many requests it made. The first round warms up, and is not kept."""
        before, began_s = self.used(), time.perf_counter()
        asked = ask()
        took_s, after = time.perf_counter() - began_s, self.used()
        if is_kept:
            self.figures[request].rates.append(asked / took_s)
            costs = ((last - first) * 1000 / asked for first, last in zip(before, after, strict=True))
            self.figures[request].costs.append(tuple(costs))

    def upload(self) -> int:
        photos = [distinct(self._photo, self._sent + number) for number in range(UPLOADS)]
        self._sent += UPLOADS
        with ThreadPoolExecutor(CLIENTS) as pool:
            replies = list(pool.map(self._post, photos))
        self.slug = replies[-1].rpartition("/")[2]
        return UPLOADS

    def _post(self, photo: bytes) -> str:
        reply = self._lines.ask("POST", "/api/v1/images?filename=a.jpg", photo).good()
        return str(reply.headers["Location"])

    def view(self) -> int:
        with ThreadPoolExecutor(CLIENTS) as pool:
            return sum(pool.map(self._get, range(VIEWS)))

    def _get(self, _number: int) -> int:
        self._lines.ask("GET", f"/i/{self.slug}/thumbnail.jpg").good()
        return 1


@contextlib.contextmanager
def boxes() -> Iterator[dict[str, Box]]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="appliance-box-")))
        folder.chmod(0o755)
        for name in ("postgres", "minio"):
            (folder / name).mkdir(mode=0o755)
        postgres = stack.enter_context(postgres_server(folder / "postgres", syncing=True))
        minio = stack.enter_context(minio_server(folder / "minio"))

        def box(bucket: str, processes: int, **settings: str) -> Box:
            store = store_settings(minio) | {"STORE_BUCKET": bucket, "RENDITIONS_PREWARM": "", "LIMITS_MODE": "off"}
            count = {"SERVER_PROCESSES": str(processes)}
            running = stack.enter_context(server(**store, **count, **settings))
            _wait_for_all(running.data_dir)
            return Box(running, processes, postgres, minio)

        yield {
            "1 process, file": box("file", 1),
            "1 process, PostgreSQL": box("one", 1, CATALOGUE_URL=new_schema(postgres)),
            "2 processes, PostgreSQL": box("two", 2, CATALOGUE_URL=new_schema(postgres)),
        }


def _wait_for_all(data_dir: Path) -> None:
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        with contextlib.suppress(ServerNotRunning, CommandFailed):
            if asyncio.run(ask_status(Config(data_dir=data_dir)))["ready"]:
                return
        time.sleep(0.2)
    raise SystemExit("the processes did not get ready")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if find_minio() is None:
        raise SystemExit("skipped: minio is missing; `make minio` builds it")
    with boxes() as found:
        for number in range(arguments.rounds + 1):
            for box in found.values():
                box.measure("upload of 1 MB", box.upload, is_kept=number > 0)
            for box in found.values():
                box.measure("cached view", box.view, is_kept=number > 0)
    rows = [
        figures.row(name, request)
        for request in ("upload of 1 MB", "cached view")
        for name, box in found.items()
        for figures in [box.figures[request]]
    ]
    question = (
        f"What does one more server process bring on two cores? Uploads (prewarming off) and views of one size, by\n"
        f"{CLIENTS} clients, {arguments.rounds} rounds in turns. PostgreSQL syncs; several processes share the workers."
    )
    report("one_box", question, HEADER, rows)


if __name__ == "__main__":
    main()
