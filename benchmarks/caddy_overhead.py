"""What does Caddy in front cost, over TLS and as the role `caddy` sets it up, and what would two other setups gain?

It measures views while uploads arrive, with and without separate connections for requests that have a body, and
originals sent by the server or by Caddy itself (X-Accel-Redirect; a small program names the file in place of the
server, so this is an upper bound).
`python -m benchmarks.caddy_overhead [--rounds N]`
"""

import argparse
import contextlib
import http.client
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.harness import RunningServer, free_port, report, server
from benchmarks.load.wrk import wrk
from benchmarks.peers import Missing
from benchmarks.peers.comparison import cells, rates
from tests.support.images.pictures import photo

CONNECTIONS = 32
SECONDS = 4
UPLOADS_PER_S = 10
SIZES = {"200 KB": (1080, 810, 85), "20 MB": (8000, 6000, 92)}
UNVERIFIED = ssl._create_unverified_context()  # Caddy's authority is of this run

CADDYFILE = """
{{
	admin off
	persist_config off
	skip_install_trust
	auto_https disable_redirects
}}
https://localhost:{port} {{
	tls internal
	{handlers}
}}
"""
APART = """
	@body not method GET HEAD OPTIONS
	handle @body {{
		reverse_proxy 127.0.0.1:{upstream} {{
			transport http {{
				keepalive off
			}}
		}}
	}}
	handle {{
		reverse_proxy 127.0.0.1:{upstream} {{
			transport http {{
				keepalive 60s
				keepalive_idle_conns_per_host 256
			}}
		}}
	}}
"""
TOGETHER = """
	reverse_proxy 127.0.0.1:{upstream} {{
		transport http {{
			keepalive 60s
			keepalive_idle_conns_per_host 256
		}}
	}}
"""
HANDED_OVER = """
	reverse_proxy 127.0.0.1:{stand_in} {{
		@accel header X-Accel-Redirect *
		handle_response @accel {{
			root * {copies}
			rewrite * {{rp.header.X-Accel-Redirect}}
			file_server
		}}
	}}
"""
STAND_IN = """
import asyncio, sys
from aiohttp import web

async def answer(request):
    return web.Response(headers={"X-Accel-Redirect": request.path, "Cache-Control": "private"})

app = web.Application()
app.router.add_get("/{name}", answer)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""


@contextlib.contextmanager
def caddy(folder: Path, handlers: str, **values: object) -> Iterator[str]:
    """Caddy over TLS with these handlers; yields its address."""
    port = free_port()
    folder.mkdir()
    (folder / "Caddyfile").write_text(CADDYFILE.format(port=port, handlers=handlers.format(**values)))
    program = str(Path(sys.executable).with_name("caddy"))
    command = [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    homes = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "log").open("wb") as log, running(command, log=log, **homes):
        url = f"https://localhost:{port}"
        until(lambda: urllib.request.urlopen(f"{url}/healthz", context=UNVERIFIED))
        yield url


@contextlib.contextmanager
def running(command: list[str], log: object = subprocess.DEVNULL, **environment: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | environment)  # type: ignore[call-overload]
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def until(answers: Callable[[], object]) -> None:
    """Waits for a connection; any answer will do."""
    for _ in range(300):
        try:
            answers()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("it does not answer")


def asked(url: str, connections: int = CONNECTIONS) -> float:
    return wrk(url, connections=connections, seconds=SECONDS)


@contextlib.contextmanager
def uploading(url: str) -> Iterator[None]:
    """Some uploads a second, each a picture of its own, over one connection to the front."""
    over = threading.Event()
    pictures = [photo(320, 240, seed=number) for number in range(SECONDS * UPLOADS_PER_S * 2)]

    def work() -> None:
        client = http.client.HTTPSConnection(url.removeprefix("https://"), context=UNVERIFIED)
        for picture in pictures:
            if over.wait(1 / UPLOADS_PER_S):
                return
            client.request("POST", "/api/v1/images?filename=a.jpg", picture)
            reply = client.getresponse()
            assert reply.status == 201, reply.read()
            reply.read()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def among_uploads(url: str, path: str) -> float:
    with uploading(url):
        return asked(url + path)


def uploaded(host: RunningServer, data: bytes) -> str:
    with urllib.request.urlopen(f"{host.url}/api/v1/images?filename=a.jpg", data=data) as reply:
        return str(json.load(reply)["slug"])


def views(host: RunningServer, folder: Path, stack: contextlib.ExitStack) -> dict[str, Callable[[int], float]]:
    path = f"/i/{uploaded(host, photo(1600, 1200))}/small.jpg"
    apart = stack.enter_context(caddy(folder / "apart", APART, upstream=host.port))
    together = stack.enter_context(caddy(folder / "together", TOGETHER, upstream=host.port))
    return {
        "views alone": lambda _: asked(apart + path),
        f"views, {UPLOADS_PER_S} uploads a second on connections of their own": lambda _: among_uploads(apart, path),
        f"views, {UPLOADS_PER_S} uploads a second on the same connections": lambda _: among_uploads(together, path),
    }


def originals(host: RunningServer, folder: Path, stack: contextlib.ExitStack) -> dict[str, Callable[[int], float]]:
    copies, stand_in = folder / "copies", free_port()
    copies.mkdir()
    sent = stack.enter_context(caddy(folder / "sent", APART, upstream=host.port))
    stack.enter_context(running([sys.executable, "-c", STAND_IN, str(stand_in)]))
    handed = stack.enter_context(caddy(folder / "handed", HANDED_OVER, stand_in=stand_in, copies=copies))
    found: dict[str, Callable[[int], float]] = {}
    for name, (width, height, quality) in SIZES.items():
        data = photo(width, height, quality=quality)
        slug = uploaded(host, data)
        (copies / slug).write_bytes(data)
        connections = 8 if len(data) > 1_000_000 else CONNECTIONS
        size = f"an original of {len(data) / 1e6:.1f} MB (for {name})"
        for who, url in (("the server", f"{sent}/i/{slug}/original"), ("Caddy", f"{handed}/{slug}")):
            found[f"{size}, sent by {who}"] = lambda _, url=url, count=connections: asked(url, count)  # type: ignore[misc]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        host = stack.enter_context(server(RENDITIONS_PREWARM=""))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        measures = views(host, folder, stack) | originals(host, folder, stack)
        try:
            found = rates(arguments.rounds, measures)
        except Missing as missing:
            raise SystemExit(f"skipped: {missing}") from missing
    rows = [(name, cells(found[name])) for name in measures]
    question = f"Answers a second through Caddy over TLS, {CONNECTIONS} connections (8 for 20 MB; wrk, {SECONDS} s)"
    report("caddy_overhead", question, ("what", "a second: median (range)"), rows)


if __name__ == "__main__":
    main()
