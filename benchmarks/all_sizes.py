"""How many images a second are served in all four sizes, compared with other image servers?"""

import argparse
import statistics
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.harness import distinct, report
from benchmarks.load.closed_loop import fetch_all
from benchmarks.peers.comparison import OURS, PRESETS, Comparison, cells, rates, ratio, start_servers
from benchmarks.verdicts import CAN_SCORE, LIGHTS, Verdict, answer, judged
from tests.support.images.pictures import camera_photo

CONNECTIONS = 8  # the four sizes of two images
GOALS = {"sharp": 2.5, "oximg": 4.0}
"""How many times the rate of these servers ours should reach."""
PARTS = ("count", "sum")
ROUND_SOURCES = 10_000  # a round's files have numbers of their own
HEADER = ("server", "images a second: median (range)", "CPU ms", "KB", "scores, 256 to 2048 px", "ours/it", "goal")


class Measured:
    """What each server makes of the photograph, in all sizes."""

    def __init__(self, held: Comparison, photo: bytes, count: int) -> None:
        self._held, self._photo, self._count = held, photo, count
        self._names = held.peer_names(self._sources(0))
        self.cpu_ms: dict[str, list[float]] = {}
        self.orders: list[float] = []
        """In each round, the orders to our workers for an image; each decodes once."""
        self.at_once: list[float] = []
        """How many orders they had on average."""

    def measures(self) -> dict[str, Callable[[int], float]]:
        """For each server: images a second of one round."""
        found: dict[str, Callable[[int], float]] = {OURS: self._ours}
        for peer in self._held.peers:
            urls = [peer.url(name, box) for name in self._names for box in PRESETS]
            found[peer.name] = partial(self._rate, peer.name, peer.cpu_s, urls)
        return found

    def verdicts(self) -> dict[str, list[Verdict]]:
        """Bytes and score of each size, by server."""
        [source], boxes = self._sources(-1)[:1], list(PRESETS)
        [name], [slug] = self._held.peer_names([source]), self._held.slugs([source])
        urls = {OURS: [self._held.our_url(slug, box) for box in boxes]}
        urls |= {peer.name: [peer.url(name, box) for box in boxes] for peer in self._held.peers}
        return {server: [_judged(source[1], url) for url in each] for server, each in urls.items()}

    def _sources(self, turn: int) -> list[tuple[str, bytes]]:
        """Files that no other turn has."""
        numbers = range((turn + 1) * ROUND_SOURCES, (turn + 1) * ROUND_SOURCES + self._count)
        return [(f"{number}.jpg", distinct(self._photo, number)) for number in numbers]

    def _ours(self, number: int) -> float:
        """Ours keeps what it made, so every round has images of its own."""
        urls = [
            self._held.our_url(slug, box) for slug in self._held.slugs(self._sources(number + 1)) for box in PRESETS
        ]
        ours, count, seconds = self._held.ours, *(f'rendition_seconds_{part}{{priority="view"}}' for part in PARTS)
        orders, busy_s = ours.metric(count), ours.metric(seconds)
        rate = self._rate(OURS, ours.cpu_s, urls)
        self.orders.append((ours.metric(count) - orders) / self._count)
        self.at_once.append((ours.metric(seconds) - busy_s) * rate / self._count)
        return rate

    def _rate(self, server: str, cpu_s: Callable[[], float], urls: Sequence[str], _number: int = 0) -> float:
        before_s = cpu_s()
        rate = fetch_all(urls, connections=CONNECTIONS).rate / len(PRESETS)
        self.cpu_ms.setdefault(server, []).append((cpu_s() - before_s) * 1000 / self._count)
        return rate


def _judged(source: bytes, url: str) -> Verdict:
    data = answer(url, "jpg")
    assert data is not None, url
    return judged(source, data, LIGHTS[:1]) if CAN_SCORE else Verdict(len(data), ())


def figures(cpu_ms: Sequence[float], verdicts: Sequence[Verdict]) -> tuple[str, str, str]:
    """Processor time and bytes of an image in all sizes, and the score of each size."""
    scores = " ".join(f"{score:.1f}" for verdict in verdicts for score in verdict.scores)
    return f"{statistics.median(cpu_ms):.1f}", f"{sum(verdict.bytes for verdict in verdicts) / 1000:.0f}", scores


def outcome(name: str, lead: float) -> str:
    """The goal that there is for this server, and whether it is met."""
    for peer, goal in GOALS.items():
        if name.startswith(peer):
            return f">= {goal:g}: {'met' if lead >= goal else 'missed'}"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60, help="images a round")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with start_servers() as held:
        measured = Measured(held, camera_photo(), arguments.count)
        seen = measured.verdicts()
        found = rates(arguments.rounds, measured.measures())
        skipped = held.missing
    rows: list[tuple[str, ...]] = []
    for name, each in found.items():
        lead = ratio(found[OURS], each)
        compared = ("", "") if name == OURS else (f"{lead:.2f}", outcome(name, lead))
        rows.append((name, cells(each), *figures(measured.cpu_ms[name], seen[name]), *compared))
    rows += [(missing, "skipped", *[""] * 5) for missing in skipped]
    question = "Images a second in all four sizes, none viewed before: JPEG 2725x2225, 0.8 MB, nothing prewarmed"
    orders, at_once = (statistics.median(each) for each in (measured.orders, measured.at_once))
    gathered = f"This host: {orders:.2f} orders to a worker for each image, on average {at_once:.2f} at once"
    report("all_sizes", question, HEADER, rows, ["", gathered])


if __name__ == "__main__":
    main()
