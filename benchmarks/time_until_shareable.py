"""How soon after the last byte of an upload do its share page and all of its sizes answer, under the design load?

The time of each upload counts from its last byte. As soon as the reply has the link, the page and the four sizes are
asked for at once, each on its own connection, in addition to the load.
"""

import argparse
import contextlib
import random
import statistics
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.harness import report, server, spread
from benchmarks.load.kept_connections import Reply
from benchmarks.load.open_loop import (
    COLD,
    POPULAR,
    PRESETS,
    PROXIED,
    UPLOAD,
    UPLOADS_PER_S,
    VIEWS_PER_S,
    Gallery,
    Host,
    arrivals,
    play,
    rates,
    slug_of,
)
from benchmarks.peers.minio import store_settings
from tests.support.programs import find_minio
from tests.support.servers import minio_server

LAID_DOWN = 200
WARM_UP_S = 5
GOAL_S = 0.3
FOLLOWERS = 512  # more than ever wait at once, so that none is counted for another
Timings = dict[str, list[float]]


class Followed:
    """A host whose uploads are followed."""

    def __init__(self, host: Host, gallery: Gallery, pool: ThreadPoolExecutor) -> None:
        self._host = host
        self._gallery = gallery
        self._pool = pool
        self._noting = threading.Lock()
        self.took: Timings = {}

    def act(self, kind: str) -> Reply:
        reply = self._host.act(self._gallery, kind)
        if kind == UPLOAD:
            self._follow(reply.good())
        return reply

    def _follow(self, upload: Reply) -> None:
        page = f"/i/{slug_of(upload)}"
        asked = {"share page": page} | {f"{preset}.jpg": f"{page}/{preset}.jpg" for preset in PRESETS}
        replies = self._pool.map(lambda address: self._host.connections.ask("GET", address).good(), asked.values())
        came = {"reply with the link": upload} | dict(zip(asked, replies, strict=True))
        with self._noting:
            for name, reply in came.items():
                self.took.setdefault(name, []).append(reply.came_s - upload.sent_s)


def measured(seconds: float) -> Timings:
    chance = random.Random(7)
    load = {kind: rate for kind, rate in rates(1).items() if kind != COLD}
    load[POPULAR] += rates(1)[COLD]  # nothing here is old enough to be cold; benchmarks/design_load.py has such
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="appliance-shareable-"))
        minio = stack.enter_context(minio_server(Path(folder)))
        running = stack.enter_context(server(**store_settings(minio), **PROXIED))
        host = Host(running.url, chance)
        gallery = Gallery(host.lay_down(LAID_DOWN), iter(()), chance)
        followed = Followed(host, gallery, stack.enter_context(ThreadPoolExecutor(FOLLOWERS)))
        play(arrivals(chance, load, WARM_UP_S), followed.act)  # connections and imports cost once
        followed.took.clear()
        outcomes = play(arrivals(chance, load, seconds), followed.act)
    faults = [outcome.fault for outcome in outcomes if outcome.fault]
    if faults:
        raise SystemExit(f"{len(faults)} requests failed, such as {faults[0]}")
    return followed.took


def row(name: str, took_s: list[float]) -> tuple[str, ...]:
    p95_ms = statistics.quantiles(took_s, n=20)[-1] * 1000
    goal = "" if name.startswith("reply") else f"<= {GOAL_S * 1000:.0f}"
    return (name, spread(took_s), f"{p95_ms:.0f}", goal, f"{max(took_s) * 1000:.0f}", str(len(took_s)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=90)
    arguments = parser.parse_args()
    if find_minio() is None:
        raise SystemExit("skipped: minio is missing; `make minio` builds it")
    took = measured(arguments.seconds)
    question = (
        f"How soon can 1 MB be viewed after its last byte, during {UPLOADS_PER_S} uploads and {VIEWS_PER_S:.0f} views "
        "a second?\nMinIO and the clients on the same cores; every upload is followed, in addition to these views, of "
        "which none is cold"
    )
    header = ("response", "ms: median (p5-p95)", "p95", "goal", "most", "of")
    report("time_until_shareable", question, header, [row(name, each) for name, each in took.items()])


if __name__ == "__main__":
    main()
