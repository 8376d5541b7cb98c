"""How fast are uploads acknowledged as durable, compared with a direct PUT to the same MinIO in the same run?

The same client sends the same bytes to each; the rounds are interleaved, and everything is removed before the next
giant. Of a small one this host removes a comment, as it removes a camera's metadata; of giants, most of which are noise
behind a photograph, it is asked to keep everything. Resumable uploads, `cp` and tusd at 10 GB are in
benchmarks/large_uploads.py.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.harness import RunningServer, cpu_s, distinct, idle_s, report, server, spread
from benchmarks.load.kept_connections import KeptConnections, Picture
from benchmarks.peers.comparison import cells, ratio
from benchmarks.peers.minio import Direct, store_settings
from tests.support.images.pictures import camera_photo
from tests.support.programs import find_minio
from tests.support.servers import Server, minio_server

GB = 10**9
CLIENTS = 16
EACH = 20  # uploads of each client a round
DIRECT, OURS = "direct PUT to MinIO", "ours, MinIO"
PREWARMED, SHIPPED = "ours, MinIO, making all sizes meanwhile", "ours, MinIO, until MinIO has it"
DIRECTORY = "ours, directory"
SMALL_GOAL, GIANT_GOAL = 0.8, 0.9
"""Of the speed of a direct PUT, for this host with MinIO."""
HEADER = (
    "file",
    "way",
    "MB/s: median (range)",
    "of a direct PUT",
    "goal",
    "processor ms a MB: ours + MinIO + clients",
    "cores idle + waiting for the disk",
    "ms an upload: median (p5-p95)",
)
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sides:
    """A MinIO, a server on it, and one on a directory. Neither makes sizes ahead of views."""

    minio: Server
    direct: Direct
    ours: RunningServer
    directory: RunningServer


@dataclass(slots=True)
class Way:
    """One way to upload, and what came of it.

    For each round: MB/s; processor ms a MB of ours, of MinIO and of the clients; how many cores had nothing to do, and
    how many waited for the disk. For each upload: seconds.
    """

    speeds: list[float] = field(default_factory=list)
    spent_ms: list[Sequence[float]] = field(default_factory=list)
    idle_cores: list[Sequence[float]] = field(default_factory=list)
    each_s: list[float] = field(default_factory=list)

    def measure(self, minio: Server, running: RunningServer | None, size: int, upload: Callable[[], object]) -> None:
        """One round of so many bytes; `running` is ours, where it is asked."""
        os.sync()  # what others wrote is not this one's

        def spent_s() -> tuple[float, ...]:
            ours_s = running.foreground_cpu_s() if running else 0.0
            return ours_s, cpu_s(minio.pid), time.process_time()

        before_s, idle_before_s, began_s = spent_s(), idle_s(), time.perf_counter()
        upload()
        took_s, idle_after_s, after_s = time.perf_counter() - began_s, idle_s(), spent_s()
        self.speeds.append(size / took_s / 1e6)
        self.spent_ms.append(
            [(end - start) * 1000 / (size / 1e6) for start, end in zip(before_s, after_s, strict=True)]
        )
        self.idle_cores.append([(end - start) / took_s for start, end in zip(idle_before_s, idle_after_s, strict=True)])


@contextlib.contextmanager
def sides() -> Iterator[Sides]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="appliance-upload-")))
        minio = stack.enter_context(minio_server(folder))
        yield Sides(
            minio,
            Direct(minio),
            stack.enter_context(server(**store_settings(minio), RENDITIONS_PREWARM="")),
            stack.enter_context(server(RENDITIONS_PREWARM="")),
        )


def post(lines: KeptConnections, picture: Picture, *, keep_metadata: bool = False) -> None:
    lines.ask("POST", f"/api/v1/images?filename=a.jpg&keep_metadata={str(keep_metadata).lower()}", picture).good()


# --- small ones by many at once ---------------------------------------------------------------------------------------


class Crowd:
    """Clients that upload one after the other, over a connection that each keeps; every picture is new."""

    def __init__(self) -> None:
        self._photo = camera_photo()
        self._sent = 0

    @property
    def bytes_each(self) -> int:
        return len(distinct(self._photo, 0))

    def upload(self, sends: Sequence[Callable[[Picture], None]], took_s: list[float]) -> None:
        """By each of these ways, CLIENTS at a time; the seconds of each go to `took_s`."""
        pictures = [
            Picture(distinct(self._photo, self._sent + number), self.bytes_each) for number in range(len(sends))
        ]
        self._sent += len(sends)
        with ThreadPoolExecutor(CLIENTS) as pool:
            took_s += pool.map(_seconds, sends, pictures)


def _seconds(send: Callable[[Picture], None], picture: Picture) -> float:
    began_s = time.perf_counter()
    send(picture)
    return time.perf_counter() - began_s


def small(rounds: int) -> list[Row]:
    crowd = Crowd()
    with sides() as held:
        ways = _in_turn(crowd, held, {DIRECT: None, OURS: held.ours, DIRECTORY: held.directory}, rounds)
        with server(**store_settings(held.minio)) as prewarming:  # last: it makes more formats for minutes afterwards
            ways |= _in_turn(crowd, held, {PREWARMED: prewarming}, rounds)
    return rows(f"{crowd.bytes_each / 1e6:.1f} MB, {CLIENTS} clients", ways, SMALL_GOAL)


def _in_turn(crowd: Crowd, held: Sides, servers: Mapping[str, RunningServer | None], rounds: int) -> dict[str, Way]:
    """So many rounds of each way. One before them, which doesn't count, pays for connections and imports."""
    count, ways = CLIENTS * EACH, {}
    for turn in range(-1, rounds):
        if turn <= 0:
            ways = {name: Way() for name in servers}
        for name, running in servers.items():
            if running is None:
                addresses = [held.direct.address("PUT", f"{turn}-{number}") for number in range(count)]
                sends = [partial(held.direct.put, address) for address in addresses]
            else:
                sends = [partial(post, KeptConnections(running.url))] * count
            way = ways[name]
            way.measure(held.minio, running, count * crowd.bytes_each, partial(crowd.upload, sends, way.each_s))
    return ways


# --- giants -----------------------------------------------------------------------------------------------------------


def giant(size: int, rounds: int, *, until_shipped: bool) -> list[Row]:
    """Each way begins another round, on servers and a disk of its own: what one has left is gone before the next."""
    names = (DIRECT, DIRECTORY, OURS)
    ways = {name: Way() for name in names} | ({SHIPPED: Way()} if until_shipped else {})
    picture = Picture(camera_photo(), size)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            with sides() as held:
                _send(name, held, ways, picture)
    return rows(f"{size / GB:g} GB", ways, GIANT_GOAL if size == GB else None)


def _send(name: str, held: Sides, ways: Mapping[str, Way], picture: Picture) -> None:
    if name == DIRECT:
        ways[name].measure(held.minio, None, picture.length, partial(_put, held.direct, picture))
    elif name == OURS and SHIPPED in ways:
        send = partial(_until_shipped, held, ways[OURS], picture)
        ways[SHIPPED].measure(held.minio, held.ours, picture.length, send)
    else:
        running = held.ours if name == OURS else held.directory
        send = partial(post, KeptConnections(running.url), picture, keep_metadata=True)
        ways[name].measure(held.minio, running, picture.length, send)


def _put(direct: Direct, picture: Picture) -> None:
    """S3 takes 5 GB in one request."""
    if picture.length <= 5 * GB:
        direct.put(direct.address("PUT", "giant"), picture)
    else:
        direct.put_in_parts("giant", picture)


def _until_shipped(held: Sides, ours: Way, picture: Picture) -> None:
    """Ours on MinIO: the way to the reply, and then until MinIO has it."""
    upload = partial(post, KeptConnections(held.ours.url), picture, keep_metadata=True)
    ours.measure(held.minio, held.ours, picture.length, upload)
    landed = held.ours.data_dir / "spool/landed"
    while any(landed.iterdir()):
        time.sleep(0.02)


def rows(file: str, ways: Mapping[str, Way], goal: float | None) -> list[Row]:
    direct = ways[DIRECT].speeds
    shown: list[Row] = []
    for name, way in ways.items():
        shown.append(
            (
                file,
                name,
                cells(way.speeds),
                "" if name == DIRECT else f"{ratio(way.speeds, direct):.2f}",
                f">= {goal}" if goal and name == OURS else "",
                medians(way.spent_ms, 1),
                medians(way.idle_cores, 2),
                spread(way.each_s) if way.each_s else "",
            )
        )
    return shown


def medians(rounds: Sequence[Sequence[float]], digits: int) -> str:
    return " + ".join(f"{statistics.median(of_one):.{digits}f}" for of_one in zip(*rounds, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of the smaller files; 10 GB come once")
    parser.add_argument("--short", action="store_true", help="without the 10 GB")
    arguments = parser.parse_args()
    if find_minio() is None:
        raise SystemExit("skipped: minio is missing; `make minio` builds it")
    shown = small(arguments.rounds)
    shown += giant(GB, arguments.rounds, until_shipped=True)
    if not arguments.short:
        shown += giant(10 * GB, 1, until_shipped=False)
    question = (
        "How fast are uploads acknowledged as durable? MinIO on four drives, erasure coded 2+2,\n"
        "on the same machine as this host and the client; 10 GB go directly in parts of 64 MiB, two at a time"
    )
    report("upload_throughput", question, HEADER, shown)


if __name__ == "__main__":
    main()
