"""How many images a second are served in all four sizes, compared with other image servers?"""

import argparse
from collections.abc import Callable

from benchmarks.harness import distinct, report
from benchmarks.load.closed_loop import fetch_all
from benchmarks.peers.comparison import OURS, PRESETS, Comparison, cells, rates, ratio, start_servers
from tests.support.images.pictures import camera_photo

CONNECTIONS = 8  # the four sizes of two images
GOALS = {"sharp": 2.5, "oximg": 4.0}
"""How many times the rate of these servers ours should reach."""


def measured(held: Comparison, photo: bytes, count: int) -> dict[str, Callable[[int], float]]:
    """For each server: images a second of one round."""

    def ours(number: int) -> float:
        sources = [(f"{n}.jpg", distinct(photo, (number + 1) * 10_000 + n)) for n in range(count)]
        urls = [held.our_url(slug, box) for slug in held.slugs(sources) for box in PRESETS]
        return fetch_all(urls, connections=CONNECTIONS).rate / len(PRESETS)

    names = held.peer_names([(f"{n}.jpg", distinct(photo, n)) for n in range(count)])
    measures: dict[str, Callable[[int], float]] = {OURS: ours}
    for peer in held.peers:
        urls = [peer.url(name, box) for name in names for box in PRESETS]
        measures[peer.name] = lambda _, urls=urls: (  # type: ignore[misc]
            fetch_all(urls, connections=CONNECTIONS).rate / len(PRESETS)
        )
    return measures


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
        found = rates(arguments.rounds, measured(held, camera_photo(), arguments.count))
        skipped = held.missing
    rows = [(OURS, cells(found[OURS]), "", "")]
    for name in (name for name in found if name != OURS):
        lead = ratio(found[OURS], found[name])
        rows.append((name, cells(found[name]), f"{lead:.2f}", outcome(name, lead)))
    rows += [(missing, "skipped", "", "") for missing in skipped]
    question = "Images a second in all four sizes, none viewed before: JPEG 2725x2225, 0.8 MB, nothing prewarmed"
    report("all_sizes", question, ("server", "images a second: median (range)", "ours/it", "goal"), rows)


if __name__ == "__main__":
    main()
