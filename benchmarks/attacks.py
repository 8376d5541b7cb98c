"""What another address sees while the host is attacked: its slowest view, its slowest small upload, and refusals.

`--before PROGRAM` takes the `appliance` of an older installation into the same run, attack by attack.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.attackers import ATTACKS, Target
from benchmarks.harness import report
from tests.pictures import photo
from tests.servers import free_port

VICTIM = "127.0.0.9"
ATTACK_S = 20.0
WARM_UP_S = 2.0
VIEW_EVERY_S = 0.05
UPLOAD_EVERY_S = 0.5
MOST_WAITED_S = 60.0
START_S = 60.0

QUESTION = (
    "What does another address see while the host is attacked? Its slowest view of a size that is made already, its\n"
    "slowest upload of 3.6 KB, how many of both were refused or broken, and by how much the log grew. Each attack\n"
    f"lasts {ATTACK_S:.0f} s, unless the command says otherwise. “{MOST_WAITED_S:.0f}+”: no answer within that time."
)


@dataclass
class Seen:
    """What the other address saw, in seconds, and the log's growth in bytes."""

    views_s: list[float] = field(default_factory=list)
    uploads_s: list[float] = field(default_factory=list)
    refused: int = 0
    log_bytes: int = 0

    def cells(self) -> tuple[str, ...]:
        return (_slowest(self.views_s), _slowest(self.uploads_s), str(self.refused), f"{self.log_bytes / 1000:,.0f}")


def _slowest(seconds: Sequence[float]) -> str:
    worst = max(seconds)
    return f"{MOST_WAITED_S:.0f}+" if worst >= MOST_WAITED_S else f"{worst:.3f}"


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


async def _prepared(port: int, data_dir: Path) -> Target:
    """A host with the image that the other address views."""
    url = f"http://127.0.0.1:{port}"
    await _ready(url)
    async with aiohttp.ClientSession(url) as session:
        async with session.post("/api/v1/images?filename=a.jpg", data=photo(4000, 3000)) as reply:
            slug = str((await reply.json())["slug"])
        async with session.get(f"/i/{slug}/small.jpg") as reply:
            await reply.read()
    return Target(port, slug, data_dir)


async def _views(target: Target, seen: Seen, until_s: float) -> None:
    """Each on a connection of its own, as often as is asked for, whether the ones before were answered or not."""

    async def one() -> None:
        began_s = time.monotonic()
        connector = aiohttp.TCPConnector(local_addr=(VICTIM, 0))
        try:
            timeout = aiohttp.ClientTimeout(MOST_WAITED_S)
            async with (
                aiohttp.ClientSession(target.url, connector=connector, timeout=timeout) as session,
                session.get(f"/i/{target.slug}/small.jpg") as reply,
            ):
                await reply.read()
                seen.refused += reply.status != 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            seen.refused += 1
        seen.views_s.append(time.monotonic() - began_s)

    async with asyncio.TaskGroup() as group:
        while time.monotonic() < until_s:
            group.create_task(one())
            await asyncio.sleep(VIEW_EVERY_S)


async def _uploads(target: Target, seen: Seen, until_s: float) -> None:
    async def one(number: int) -> None:
        began_s = time.monotonic()
        connector = aiohttp.TCPConnector(local_addr=(VICTIM, 0))
        try:
            timeout = aiohttp.ClientTimeout(MOST_WAITED_S)
            async with (
                aiohttp.ClientSession(target.url, connector=connector, timeout=timeout) as session,
                session.post("/api/v1/images?filename=a.jpg", data=photo(120, 90, seed=number)) as reply,
            ):
                await reply.read()
                seen.refused += reply.status != 201
        except (aiohttp.ClientError, OSError, TimeoutError):
            seen.refused += 1
        seen.uploads_s.append(time.monotonic() - began_s)

    async with asyncio.TaskGroup() as group:
        number = 1000
        while time.monotonic() < until_s:
            group.create_task(one(number := number + 1))
            await asyncio.sleep(UPLOAD_EVERY_S)


async def _under(name: str, program: Path, seconds: float) -> Seen:
    seen = Seen()
    with (
        tempfile.TemporaryDirectory(prefix="appliance-attacks-") as folder,
        _server(program, Path(folder)) as (port, log),
    ):
        target = await _prepared(port, Path(folder))
        before = log.stat().st_size
        known = {"port": port, "slug": target.slug, "data_dir": str(target.data_dir)}
        command = [sys.executable, "-c", "from benchmarks.attackers import main; main()", name, json.dumps(known)]
        attacker = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert attacker.stdout is not None
        try:
            assert await attacker.stdout.readline(), f"{name} did not begin"
            await asyncio.sleep(WARM_UP_S)
            until_s = time.monotonic() + seconds
            await asyncio.gather(_views(target, seen, until_s), _uploads(target, seen, until_s))
        finally:
            attacker.kill()
            await attacker.wait()
        seen.log_bytes = log.stat().st_size - before
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, metavar="PROGRAM", help="the `appliance` of an older installation")
    parser.add_argument("--seconds", type=float, default=ATTACK_S, help="how long each attack is measured")
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS), metavar="NAME")
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
    header = ("attack", "release", "slowest view, s", "slowest upload, s", "refused", "log, KB")
    report("attacks", QUESTION, header, rows)


if __name__ == "__main__":
    main()
