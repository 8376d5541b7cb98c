"""What do people notice when the database restarts, or fails over to its standby, while they upload and look?

`python -m benchmarks.database_failures [--rounds N]`. Two nodes, a PostgreSQL and its synchronous standby, with fsync,
on one machine. At each node two clients upload without a pause, and one looks at an image that was seen before. The
database is ended at once, as in a crash, and started again; or its standby is promoted at the same moment, so that
what is measured is what the nodes add. At the end everything that was acknowledged is compared with what is shown.
"""

import argparse
import asyncio
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.harness import RunningServer, free_port, report, server, spread
from tests.support.images.pictures import camera_photo
from tests.support.postgres import Databases, database_url, promote, replicated_servers
from tests.support.uploaders import Uploaders, broken_promises, upload
from tests.support.waiting import until

NODES = 2
UPLOADERS = 2  # at each node
VIEW_PAUSE_S = 0.02
BEFORE_S = AFTER_S = 5.0
WITHIN_S = 120.0
REFUSAL = "503 catalogue-unavailable"


@dataclass
class Noted(Uploaders):
    """Uploaders that know when their uploads were acknowledged."""

    saved_at: list[float] = field(default_factory=list)

    def _note(self, status: int, answer: dict[str, Any], data: bytes) -> None:
        super()._note(status, answer, data)
        if status == 201:
            self.saved_at.append(time.monotonic())


@dataclass
class Viewer:
    """Somebody who looks at one image again and again. `took_s` is the time of each look, whatever came of it."""

    address: str
    failed: int = 0
    took_s: list[float] = field(default_factory=list)

    async def look(self) -> None:
        """On a connection of its own, and once: aiohttp repeats a GET whose connection breaks, and says nothing."""
        began = time.monotonic()
        async with aiohttp.ClientSession() as session:
            session._retry_connection = False
            try:
                async with session.get(self.address) as reply:
                    await reply.read()
                self.failed += reply.status != 200
            except (aiohttp.ClientError, TimeoutError):
                self.failed += 1
        self.took_s.append(time.monotonic() - began)


@dataclass(frozen=True)
class Fault:
    """When the database was ended and was back, when each node saved an upload after that, and its load."""

    ended_at: float
    back_at: float
    saved_at: Sequence[float]
    people: Sequence[Noted]
    viewers: Sequence[Viewer]

    @property
    def refused(self) -> int:
        return sum(len(those.faults) for those in self.people)

    @property
    def longest_gap_s(self) -> float:
        """The longest time in which a node acknowledged nothing."""
        return max(after - before for those in self.people for before, after in pairwise(those.saved_at))


@contextmanager
def nodes(databases: Databases) -> Iterator[list[RunningServer]]:
    """Nodes that know both databases, with one folder as their store."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="appliance-failures-")))
        (folder / "store").mkdir()
        shared = {"CATALOGUE_URL": database_url(databases.primary, databases.standby), "LIMITS_MODE": "off"}
        shared |= {"NODE_SECRET": "only the nodes of this benchmark know it", "RENDITIONS_PREWARM": ""}
        started = []
        for number in range(1, NODES + 1):
            data = folder / f"box-{number}"
            data.mkdir()
            (data / "store").symlink_to(folder / "store")
            own = {"NODE_NAME": data.name, "NODE_LISTEN": f"127.0.0.1:{free_port()}"}
            started.append(stack.enter_context(server(data, **own, **shared)))
        yield started


@asynccontextmanager
async def looking(viewers: Sequence[Viewer]) -> AsyncIterator[None]:
    async def keep_looking(viewer: Viewer) -> None:
        while True:
            await viewer.look()
            await asyncio.sleep(VIEW_PAUSE_S)

    tasks = [asyncio.create_task(keep_looking(viewer)) for viewer in viewers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(outcome, asyncio.CancelledError):
                raise SystemExit(f"a viewer stopped looking: {outcome!r}")


async def failing(databases: Databases, come_back: Callable[[], object], seed: int) -> Fault:
    """End the primary under load, have the database come back, and wait until each node saves uploads again."""
    with nodes(databases) as running:
        urls = [node.url for node in running]
        async with aiohttp.ClientSession() as session:
            _, seen = await upload(session, urls[0], camera_photo())
        viewers = [Viewer(f"{url}/i/{seen['slug']}/thumbnail.jpg") for url in urls]
        people = [Noted(url, seed + place) for place, url in enumerate(urls)]
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(looking(viewers))
            for those in people:
                await stack.enter_async_context(those.at_work(UPLOADERS))
            await asyncio.sleep(BEFORE_S)
            ended_at = time.monotonic()
            await asyncio.to_thread(databases.primary.stop, signal.SIGQUIT)
            await asyncio.to_thread(come_back)
            back_at = time.monotonic()
            for those in people:
                await until(lambda those=those: those.saved_at[-1] > back_at, "an upload", WITHIN_S)  # type: ignore[misc]
            await asyncio.sleep(AFTER_S)
        await _check(people, urls)
        saved_at = [next(saved for saved in those.saved_at if saved > back_at) for those in people]
    return Fault(ended_at, back_at, saved_at, people, viewers)


async def _check(people: Sequence[Noted], urls: Sequence[str]) -> None:
    """Raises SystemExit if something that was acknowledged is not shown by each node, byte for byte.

    So it does for a refusal that isn't of the database.
    """
    if others := {fault for those in people for fault in those.faults} - {REFUSAL}:
        raise SystemExit(f"uploads were answered with {others}")
    promises = [promise for those in people for promise in those.promises]
    async with aiohttp.ClientSession() as session:
        for url in urls:
            if broken := await broken_promises(session, url, promises):
                raise SystemExit(f"{url} has lost {len(broken)} of {len(promises)}: {broken[:3]}")


def shown(what: str, faults: Sequence[Fault]) -> tuple[str, ...]:
    """The median of the rounds, with the range."""
    away = [fault.back_at - fault.ended_at for fault in faults]
    again = [max(fault.saved_at) - fault.back_at for fault in faults]
    gaps = [fault.longest_gap_s for fault in faults]
    failed = sum(viewer.failed for fault in faults for viewer in fault.viewers)
    took_s = [seconds for fault in faults for viewer in fault.viewers for seconds in viewer.took_s]
    refused = [fault.refused for fault in faults]
    saved = sum(len(those.promises) for fault in faults for those in fault.people)
    others = sum(those.broken for fault in faults for those in fault.people)
    return (
        what,
        *(f"{statistics.median(each):.1f} ({min(each):.1f}-{max(each):.1f})" for each in (away, again, gaps)),
        f"{statistics.median(refused):.0f} ({min(refused)}-{max(refused)})",
        f"{others}",
        f"{saved}, 0 lost",
        f"{failed} of {len(took_s)}",
        f"{spread(took_s)}, {1000 * max(took_s):.0f}",
    )


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=5)
    rounds = arguments.parse_args().rounds
    restarts, failovers = [], []
    for number in range(rounds):
        with replicated_servers(syncing=True) as databases:
            restarts.append(asyncio.run(failing(databases, databases.primary.start, 10 * number)))
        with replicated_servers(syncing=True) as databases:
            failovers.append(asyncio.run(failing(databases, partial(promote, databases.standby), 10 * number)))
    report(
        "database_failures",
        f"What do people notice when the database fails while they upload and look? {NODES} nodes, {rounds} rounds:\n"
        "the median and the range; seconds",
        (
            "what",
            "the database is away",
            "then until both nodes save",
            "longest without an acknowledgement",
            "uploads refused (503)",
            "cut off",
            "acknowledged",
            "views failed",
            "a view, ms, and the slowest",
        ),
        [shown("it crashes and starts again", restarts), shown("its standby is promoted", failovers)],
    )


if __name__ == "__main__":
    main()
