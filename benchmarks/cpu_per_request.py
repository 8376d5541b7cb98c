"""How much processor time does a request take, in this release and in an earlier one?

`--before PROGRAM` names the `appliance` of an earlier release. Both servers run at once and are asked in turn.
"""

import argparse
import statistics
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import RunningServer, distinct, report, server
from benchmarks.load.wrk import wrk
from tests.support.images.pictures import camera_photo

ROUNDS = 7
REQUESTS = 120
HOT_S = 1
HOT_TURNS = 4

QUESTION = (
    "How much processor time does a request take, in this release and in an earlier one? Of server and workers: an\n"
    "upload of 0.8 MB (prewarming off), its first view at 256 px, and a cached view. Both are asked in turn, one\n"
    f"request at a time, {ROUNDS} rounds of {REQUESTS}. “ratio”: median, smallest and largest of the rounds' ratios."
)


def _upload(running: RunningServer, data: bytes) -> str:
    request = urllib.request.Request(f"{running.url}/api/v1/images?filename=a.jpg", data=data, method="POST")
    with urllib.request.urlopen(request) as reply:
        return str(reply.headers["Location"])


def _get(url: str) -> None:
    with urllib.request.urlopen(url) as reply:
        reply.read()


class Pair:
    """Two servers that are asked in turns. While one is asked the other rests, so what each has used is its own."""

    def __init__(self, before: RunningServer, now: RunningServer) -> None:
        self._servers = (before, now)
        self._photo = camera_photo()
        self._links: dict[int, list[str]] = {}
        self._rounds = 0

    def uploads(self) -> tuple[float, float]:
        """Milliseconds of processor an upload, of each."""
        self._rounds += 1
        self._links = {running.port: [] for running in self._servers}

        def upload(running: RunningServer, number: int) -> None:
            data = distinct(self._photo, self._rounds * REQUESTS + number)
            self._links[running.port].append(_upload(running, data))

        return self._cost(upload, REQUESTS)

    def cold_views(self) -> tuple[float, float]:
        """The same for a first view of each of the last round's uploads."""
        return self._cost(
            lambda running, number: _get(f"{running.url}{self._links[running.port][number]}/thumbnail.jpg"), REQUESTS
        )

    def hot_views(self) -> tuple[float, float]:
        """The same for a view that was served before."""
        answered = dict.fromkeys(self._links, 0.0)

        def views(running: RunningServer, _number: int) -> None:
            url = f"{running.url}{self._links[running.port][0]}/thumbnail.jpg"
            answered[running.port] += wrk(url, connections=4, seconds=HOT_S) * HOT_S

        before, now = self._cost(views, HOT_TURNS)
        mean = [answered[running.port] / HOT_TURNS for running in self._servers]
        return before / mean[0], now / mean[1]

    def _cost(self, ask: Callable[[RunningServer, int], None], times: int) -> tuple[float, float]:
        began_s = [running.cpu_s() for running in self._servers]
        for number in range(times):
            for running in self._servers if number % 2 else reversed(self._servers):
                ask(running, number)
        before, now = (running.cpu_s() - since_s for running, since_s in zip(self._servers, began_s, strict=True))
        return before * 1000 / times, now * 1000 / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True, metavar="PROGRAM")
    said = parser.parse_args()
    with (
        server(None, said.before.absolute(), RENDITIONS_PREWARM="") as before,
        server(RENDITIONS_PREWARM="") as now,
    ):
        pair = Pair(before, now)
        measures = {"upload": pair.uploads, "cold view": pair.cold_views, "hot view": pair.hot_views}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in measures}
        for number in range(ROUNDS + 1):
            for name, measure in measures.items():
                costs = measure()
                if number:  # the first round warms both up
                    taken[name].append(costs)
    rows = []
    for name, pairs in taken.items():
        old, new = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratios = sorted(after / earlier for earlier, after in pairs)
        middle = statistics.median(ratios)
        rows.append((name, f"{old:.3f}", f"{new:.3f}", f"{middle:.3f} ({ratios[0]:.3f}-{ratios[-1]:.3f})"))
    report("cpu_per_request", QUESTION, ("request", "before, ms", "now, ms", "ratio"), rows)


if __name__ == "__main__":
    main()
