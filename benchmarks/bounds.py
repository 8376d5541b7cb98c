"""What the bounds on strangers' requests and files cost honest clients: processor time, beside a release before.

`--before PROGRAM` is the `appliance` of that release. Both servers run at once and are asked in turns.
"""

import argparse
import statistics
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import RunningServer, distinct, report, server
from benchmarks.wrk import wrk
from tests.pictures import camera_photo

ROUNDS = 11
UPLOADS = 20
COLD = 20
HOT_S = 2

QUESTION = (
    f"What do the bounds cost? Processor time of server and workers for one request, median of {ROUNDS} rounds in\n"
    "turns: an upload of 0.8 MB (prewarming off), its first view at 256 px, and a view that was served before.\n"
    "“ratio”: the median of each round's own."
)

Measure = Callable[[RunningServer, int], float]


def _upload(running: RunningServer, data: bytes) -> str:
    request = urllib.request.Request(f"{running.url}/api/v1/images?filename=a.jpg", data=data, method="POST")
    with urllib.request.urlopen(request) as reply:
        return str(reply.headers["Location"])


def _get(url: str) -> None:
    with urllib.request.urlopen(url) as reply:
        reply.read()


class Asked:
    """What the servers are asked, and what they were asked already."""

    def __init__(self) -> None:
        self._photo = camera_photo()
        self._links: dict[int, list[str]] = {}

    def uploads(self, running: RunningServer, number: int) -> float:
        """Milliseconds of processor an upload."""
        before_s = running.cpu_s()
        links = [_upload(running, distinct(self._photo, number * UPLOADS + one)) for one in range(UPLOADS)]
        self._links[running.port] = links
        return (running.cpu_s() - before_s) * 1000 / UPLOADS

    def cold_views(self, running: RunningServer, _number: int) -> float:
        """The same for a first view of each of the last round's uploads."""
        before_s = running.cpu_s()
        for link in self._links[running.port][:COLD]:
            _get(f"{running.url}{link}/thumbnail.jpg")
        return (running.cpu_s() - before_s) * 1000 / COLD

    def hot_views(self, running: RunningServer, _number: int) -> float:
        """The same for a view that was served before."""
        url = f"{running.url}{self._links[running.port][0]}/thumbnail.jpg"
        before_s = running.cpu_s()
        rate = wrk(url, connections=4, seconds=HOT_S)
        return (running.cpu_s() - before_s) * 1000 / (rate * HOT_S)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True, metavar="PROGRAM")
    said = parser.parse_args()
    asked = Asked()
    with (
        server(None, said.before.absolute(), RENDITIONS_PREWARM="") as before,
        server(RENDITIONS_PREWARM="") as now,
    ):
        rows = []
        measures: dict[str, Measure] = {
            "upload": asked.uploads,
            "cold view": asked.cold_views,
            "hot view": asked.hot_views,
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in measures}
        for number in range(ROUNDS + 1):
            for name, measure in measures.items():
                first, second = (before, now) if number % 2 else (now, before)
                costs = {running.port: measure(running, number) for running in (first, second)}
                if number:  # the first round warms both up
                    taken[name].append((costs[before.port], costs[now.port]))
        for name, pairs in taken.items():
            old, new = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(after / earlier for earlier, after in pairs)
            rows.append((name, f"{old:.3f}", f"{new:.3f}", f"{ratio:.3f}"))
    report("bounds", QUESTION, ("request", "before, ms", "now, ms", "ratio"), rows)


if __name__ == "__main__":
    main()
