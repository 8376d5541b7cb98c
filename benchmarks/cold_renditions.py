"""How many renditions of new images are made a second, compared with other image servers?

Each request has its own connection, 4 run at a time, and every source is asked for once. No package registry has
imgproxy, so its rate is estimated from oximg in the same run and from the rates of both on another machine with the
same photographs over kept connections: 116 and 61 a second at 256 px, 42 and 38 at 1024 px; for the larger photograph
74 and 30, 28 and 24. There is no estimate for PNG.
"""

import argparse
from collections.abc import Callable, Sequence

from benchmarks.harness import distinct, report
from benchmarks.inputs.photographs import distinct_png, heic_photo, large_photo, png_photo
from benchmarks.load.closed_loop import fetch_all
from benchmarks.peers.comparison import OURS, Comparison, cells, rates, ratio, start_servers
from tests.support.images.pictures import camera_photo

CONNECTIONS = 4
CAMERA, LARGE = "JPEG 2725x2225, 0.8 MB", "JPEG 4000x3266, 4 MB"
IMGPROXY_TO_OXIMG = {
    (CAMERA, 256): 116 / 61,
    (CAMERA, 1024): 42 / 38,
    (LARGE, 256): 74 / 30,
    (LARGE, 1024): 28 / 24,
}
GOALS = {("oximg", 256): 2.2, ("oximg", 1024): 1.6, ("thumbor", 256): 1.0, ("thumbor", 1024): 2.0}
IMGPROXY_GOALS = {256: 1.1, 1024: 1.3}

Sources = Callable[[int, int], list[tuple[str, bytes]]]


def jpegs(photo: bytes) -> Sources:
    """`count` distinct files of a round."""
    return lambda turn, count: [(f"{turn}-{n}.jpg", distinct(photo, turn * 10_000 + n)) for n in range(count)]


def pngs(photo: bytes) -> Sources:
    return lambda turn, count: [(f"{turn}-{n}.png", distinct_png(photo, turn * 10_000 + n)) for n in range(count)]


def heics(photo: bytes) -> Sources:
    """A box of its own at the end makes each a file of its own."""
    return lambda turn, count: [
        (f"{turn}-{n}.heic", photo + (16).to_bytes(4, "big") + b"free" + (turn * 10_000 + n).to_bytes(8, "big"))
        for n in range(count)
    ]


class Measured:
    """One source in one size: what each server makes of it."""

    def __init__(self, held: Comparison, sources: Sources, box: int, count: int, turn: int) -> None:
        self._held, self._sources, self._box, self._count, self._turn = held, sources, box, count, turn

    def ours(self, number: int) -> float:
        """Ours keeps what it made, so every round has sources of its own."""
        slugs = self._held.slugs(self._sources(self._turn + number, self._count))
        urls = [self._held.our_url(slug, self._box) for slug in slugs]
        return fetch_all(urls, connections=CONNECTIONS).rate

    def peers(self) -> dict[str, Callable[[int], float]]:
        names = self._held.peer_names(self._sources(0, self._count))
        return {
            peer.name: lambda _, peer=peer: (
                fetch_all(  # type: ignore[misc]
                    [peer.url(name, self._box) for name in names], connections=CONNECTIONS
                ).rate
            )
            for peer in self._held.peers
        }


def row(what: str, box: int, found: dict[str, list[float]]) -> list[tuple[str, ...]]:
    ours = found[OURS]
    rows: list[tuple[str, ...]] = [(what, f"{box} px", OURS, cells(ours), "", "")]
    for name, theirs in found.items():
        if name != OURS:
            goal = GOALS.get((name.split()[0], box))
            rows.append((what, f"{box} px", name, cells(theirs), f"{ratio(ours, theirs):.2f}", _goal(goal)))
            if name.startswith("oximg") and (what, box) in IMGPROXY_TO_OXIMG:
                would = [rate * IMGPROXY_TO_OXIMG[what, box] for rate in theirs]
                words = (cells(would), f"{ratio(ours, would):.2f}", _goal(IMGPROXY_GOALS[box]))
                rows.append((what, f"{box} px", "imgproxy, estimated", *words))
    return rows


def _goal(goal: float | None) -> str:
    return "" if goal is None else f">= {goal}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="sources a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="only the camera's photograph at 256 and 1024 px")
    arguments = parser.parse_args()
    rows: list[tuple[str, ...]] = []
    photo = camera_photo()
    wanted: list[tuple[str, Sources, Sequence[int], bool]] = [
        (CAMERA, jpegs(photo), (256, 1024) if arguments.short else (256, 512, 1024, 2048), True)
    ]
    if not arguments.short:
        wanted.append((LARGE, jpegs(large_photo()), (256, 512, 1024, 2048), True))
        wanted.append(("PNG 1920x1568", pngs(png_photo()), (256, 1024), True))
        if (heic := heic_photo()) is not None:
            wanted.append(("HEIC 4032x3292", heics(heic), (256, 1024), False))
    with start_servers() as held:
        turn = 1
        for what, sources, boxes, peers_read_it in wanted:
            for box in boxes:
                measured = Measured(held, sources, box, arguments.count, turn)
                measures = {OURS: measured.ours} | (measured.peers() if peers_read_it else {})
                rows += row(what, box, rates(arguments.rounds, measures))
                turn += arguments.rounds
        rows += [(missing, "", "skipped", "", "", "") for missing in held.missing]
    question = "Renditions a second of images that were never viewed, each request on its own connection"
    report(
        "cold_renditions", question, ("source", "into", "server", "a second: median (range)", "ours/it", "goal"), rows
    )


if __name__ == "__main__":
    main()
