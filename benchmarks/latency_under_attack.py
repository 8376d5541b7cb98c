"""What does another client see while the host is attacked: its slowest view, its slowest small upload, refusals?

`--before PROGRAM` also runs each attack against the `appliance` of an older installation.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.harness import report
from benchmarks.load.attackers import ATTACKS
from benchmarks.load.target import Target
from tests.support.images.pictures import photo
from tests.support.programs import free_port

VICTIM = "127.0.0.9"
ATTACK_S = 20.0
WARM_UP_S = 2.0
MAX_WAITED_S = 60.0
START_S = 60.0

QUESTION = (
    "What does another address see while the host is attacked? Its slowest view of a cached size, its\n"
    "slowest view of a new one (of a small image), its slowest upload of 3.6 KB, how many of these were refused or\n"
    "broken, and by how much the log grew. All run on the same machine, including the attacker. Each attack lasts\n"
    f"{ATTACK_S:.0f} s, unless set otherwise. “{MAX_WAITED_S:.0f}+”: no answer within that time."
)

Request = contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]
Ask = Callable[[aiohttp.ClientSession, int], Request]
"""A request, the how manieth of its kind."""


@dataclass
class Seen:
    """What the other address saw: how many seconds each request took, by its kind; and the log's growth in bytes."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    refused: int = 0
    log_bytes: int = 0

    def cells(self) -> tuple[str, ...]:
        slowest = [_shown(max(seconds)) for seconds in self.seconds.values()]
        return (*slowest, str(self.refused), f"{self.log_bytes / 1000:,.0f}")


def _shown(seconds: float) -> str:
    return f"{MAX_WAITED_S:.0f}+" if seconds >= MAX_WAITED_S else f"{seconds:.3f}"


@contextlib.contextmanager
def _server(program: Path, folder: Path) -> Iterator[tuple[int, Path]]:
    """The host as it is run without settings: its port, and its log."""
    port, log = free_port(), folder / "log"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("APPLIANCE_")}
    mine = {"APPLIANCE_DATA_DIR": str(folder / "data"), "APPLIANCE_SERVER_LISTEN": f"127.0.0.1:{port}"}
    with log.open("wb") as stream:
        process = subprocess.Popen([program, "serve"], env=kept | mine, stderr=stream, cwd=folder)
    try:
        yield port, log
    finally:
        process.kill()
        process.wait()


async def _ready(url: str) -> None:
    deadline_s = time.monotonic() + START_S
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline_s:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.02)
    raise SystemExit("the server did not get ready")


async def _prepared(port: int, data_dir: Path) -> tuple[Target, str]:
    """A host with the image that the other address views, and the slug of one that it views in sizes of its own."""
    url = f"http://127.0.0.1:{port}"
    await _ready(url)
    async with aiohttp.ClientSession(url) as session:
        async with session.post("/api/v1/images?filename=a.jpg", data=photo(4000, 3000)) as reply:
            slug = str((await reply.json())["slug"])
        async with session.get(f"/i/{slug}/small.jpg") as reply:
            await reply.read()
        async with session.post("/api/v1/images?filename=a.jpg", data=photo(1200, 900)) as reply:
            small_slug = str((await reply.json())["slug"])
    return Target(port, slug, data_dir), small_slug


class _OtherAddress:
    """Asks on a connection of its own each time, at a steady pace, whether earlier requests were answered or not."""

    def __init__(self, url: str, seen: Seen, until_s: float) -> None:
        self._url = url
        self._seen = seen
        self._until_s = until_s

    async def keep_asking(self, kind: str, every_s: float, ask: Ask) -> None:
        self._seen.seconds[kind] = []
        async with asyncio.TaskGroup() as group:
            for number in itertools.count():
                if time.monotonic() >= self._until_s:
                    return
                group.create_task(self._ask_once(kind, ask, number))
                await asyncio.sleep(every_s)

    async def _ask_once(self, kind: str, ask: Ask, number: int) -> None:
        began_s = time.monotonic()
        connector = aiohttp.TCPConnector(local_addr=(VICTIM, 0))
        timeout = aiohttp.ClientTimeout(MAX_WAITED_S)
        try:
            async with (
                aiohttp.ClientSession(self._url, connector=connector, timeout=timeout) as session,
                ask(session, number) as reply,
            ):
                await reply.read()
                self._seen.refused += not reply.ok
        except (aiohttp.ClientError, OSError, TimeoutError):
            self._seen.refused += 1
        self._seen.seconds[kind].append(time.monotonic() - began_s)


async def _measured(target: Target, small_slug: str, seen: Seen, seconds: float) -> None:
    def view(session: aiohttp.ClientSession, _number: int) -> Request:
        return session.get(f"/i/{target.slug}/small.jpg")

    def cold_view(session: aiohttp.ClientSession, number: int) -> Request:
        return session.get(f"/iiif/3/{small_slug}/full/{300 + number},/0/default.jpg")

    def upload(session: aiohttp.ClientSession, number: int) -> Request:
        return session.post("/api/v1/images?filename=a.jpg", data=photo(120, 90, seed=1000 + number))

    other = _OtherAddress(target.url, seen, time.monotonic() + seconds)
    await asyncio.gather(
        other.keep_asking("view", 0.05, view),
        other.keep_asking("cold view", 0.5, cold_view),
        other.keep_asking("upload", 0.5, upload),
    )


async def _under(name: str, program: Path, seconds: float) -> Seen:
    seen = Seen()
    with (
        tempfile.TemporaryDirectory(prefix="appliance-attacks-") as folder,
        _server(program, Path(folder)) as (port, log),
    ):
        target, small_slug = await _prepared(port, Path(folder))
        before = log.stat().st_size
        known = {"port": port, "slug": target.slug, "data_dir": str(target.data_dir)}
        command = [sys.executable, "-c", "from benchmarks.load.attackers import main; main()", name, json.dumps(known)]
        attacker = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert attacker.stdout is not None
        try:
            assert await attacker.stdout.readline(), f"{name} did not begin"
            await asyncio.sleep(WARM_UP_S)
            await _measured(target, small_slug, seen, seconds)
        finally:
            attacker.kill()
            await attacker.wait()
        seen.log_bytes = log.stat().st_size - before
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, metavar="PROGRAM", help="the `appliance` of an older installation")
    parser.add_argument("--seconds", type=float, default=ATTACK_S, help="how long each attack is measured")
    parser.add_argument(
        "--only", nargs="+", choices=ATTACKS, default=list(ATTACKS), metavar="NAME", help="and keep no results"
    )
    said = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    programs = {"now": Path(sys.executable).with_name("appliance")}
    if said.before:
        programs = {"before": said.before.absolute()} | programs
    rows = []
    for name in said.only:
        for release, program in programs.items():
            seen = asyncio.run(_under(name, program, said.seconds))
            rows.append((name.replace("_", " "), release, *seen.cells()))
            print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
    header = ("attack", "release", "view, s", "cold view, s", "upload, s", "refused", "log, KB")
    report("latency_under_attack", QUESTION, header, rows, is_whole=said.only == list(ATTACKS))


if __name__ == "__main__":
    main()
