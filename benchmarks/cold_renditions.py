"""How many renditions of new images are made a second, at what cost and how well, compared with other image servers?

Each request has its own connection, and every source is asked for once: 4 at a time, and 32 where sources are mixed. A
row is won by a rate no lower, with no more bytes and a score (SSIMULACRA2) no lower, of each photograph that it has;
otherwise it says what is behind, or that there is no score, which needs `make quality` first.

No package registry has imgproxy, so its rate is estimated from oximg in the same run and from the rates of both on
another machine with the same photographs and a connection each: 116 and 61 a second at 256 px, 42 and 38 at 1024 px;
for the larger photograph, over kept connections, 74 and 30, 28 and 24. There is no estimate for other sources.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from shutil import which

from benchmarks.harness import distinct, report
from benchmarks.inputs.photographs import distinct_png, heic_photo, large_photo, phone_photo, png_photo
from benchmarks.load.closed_loop import fetch_all
from benchmarks.peers.comparison import OURS, PRESETS, Comparison, cells, rates, ratio, start_servers
from benchmarks.verdicts import CAN_SCORE, LIGHTS, Verdict, answer, judged, together
from tests.support.images.pictures import camera_photo

CONNECTIONS, MANY_CONNECTIONS = 4, 32
CAMERA, LARGE, PHONE, PNG, HEIC, MIXED = (
    "JPEG 0.8 MB",
    "JPEG 4 MB",
    "phone, 12 MP",
    "PNG 1920x1568",
    "HEIC 12 MP",
    "mixed",
)
IMGPROXY_TO_OXIMG = {
    (CAMERA, 256): 116 / 61,
    (CAMERA, 1024): 42 / 38,
    (LARGE, 256): 74 / 30,
    (LARGE, 1024): 28 / 24,
}
BYTES_ALIKE, SCORES_ALIKE = 1.005, 0.05
"""Differences that the tables don't show."""
ROUND_SOURCES = 10_000  # a round's files have numbers of their own
HEADER = ("source", "into", "server", "a second: median (range)", "ours/it", "CPU ms", "KB", "score", "row")

Sources = list[tuple[str, bytes]]


def copies(photo: bytes, number: int) -> tuple[str, bytes]:
    """The photograph as a file of its own, and a name for it."""
    if photo.startswith(b"\xff\xd8"):
        return f"{number}.jpg", distinct(photo, number)
    if photo.startswith(b"\x89PNG"):
        return f"{number}.png", distinct_png(photo, number)
    return f"{number}.heic", photo + (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big")


@dataclass(frozen=True, slots=True)
class Row:
    """What is asked for: renditions of these photographs, in turn, in one size and format."""

    what: str
    photos: Sequence[Callable[[], bytes]]
    box: int
    format: str = "jpg"
    is_scored: bool = CAN_SCORE

    @property
    def connections(self) -> int:
        return CONNECTIONS if len(self.photos) == 1 else MANY_CONNECTIONS

    @property
    def into(self) -> str:
        return f"{self.box} px, {self.format}"

    def sources(self, turn: int, count: int) -> Sources:
        """`count` files that no other turn has."""
        return [copies(self.photos[n % len(self.photos)](), turn * ROUND_SOURCES + n) for n in range(count)]


class Measured:
    """A row: what each server makes of it."""

    def __init__(self, held: Comparison, row: Row, count: int, turn: int) -> None:
        self._held, self._row, self._count, self._turn = held, row, count, turn
        self._names = held.peer_names(row.sources(0, count))
        self.cpu_ms: dict[str, list[float]] = {}
        self.verdicts = self._judged()

    def measures(self) -> dict[str, Callable[[int], float]]:
        """For ours and each peer that reads the source and writes the format: its rate in a round."""
        found: dict[str, Callable[[int], float]] = {OURS: self._ours}
        for peer in self._held.peers:
            if peer.name in self.verdicts:
                found[peer.name] = lambda _, peer=peer: self._rate(  # type: ignore[misc]
                    peer.name, peer.cpu_s, [peer.url(name, self._row.box, self._row.format) for name in self._names]
                )
        return found

    def _judged(self) -> dict[str, Verdict]:
        """Bytes and scores of every photograph, by server, of those that read them and write the format."""
        sources = self._row.sources(self._turn, len(self._row.photos))
        names = self._held.peer_names(sources)
        urls = {OURS: self._our_urls(sources)}
        for peer in self._held.peers:
            urls[peer.name] = [peer.url(name, self._row.box, self._row.format) for name in names]
        answers = {server: [answer(url, self._row.format) for url in each] for server, each in urls.items()}
        return {
            server: together([self._verdict(source, data) for (_, source), data in zip(sources, made, strict=True)])
            for server, each in answers.items()
            if len(made := [data for data in each if data is not None]) == len(sources)
        }

    def _ours(self, number: int) -> float:
        """Ours keeps what it made, so every round has sources of its own."""
        urls = self._our_urls(self._row.sources(self._turn + 1 + number, self._count))
        return self._rate(OURS, self._held.ours.cpu_s, urls)

    def _our_urls(self, sources: Sources) -> list[str]:
        return [self._held.our_url(slug, self._row.box, self._row.format) for slug in self._held.slugs(sources)]

    def _rate(self, server: str, cpu_s: Callable[[], float], urls: Sequence[str]) -> float:
        before_s = cpu_s()
        rate = fetch_all(urls, connections=self._row.connections).rate
        self.cpu_ms.setdefault(server, []).append((cpu_s() - before_s) * 1000 / len(urls))
        return rate

    def _verdict(self, source: bytes, data: bytes) -> Verdict:
        return judged(source, data, LIGHTS[:1]) if self._row.is_scored else Verdict(len(data), ())


def warm_up(measured: Measured) -> None:
    """One round that doesn't count: the first requests after a start take longer."""
    for measure in measured.measures().values():
        measure(0)


def lines(
    row: Row, found: dict[str, list[float]], cpu_ms: dict[str, list[float]], seen: dict[str, Verdict]
) -> Iterator[tuple[str, ...]]:
    """The row's lines in the table: ours, then each peer's."""
    ours = found[OURS]
    for name, each in found.items():
        quality = f"{seen[name].bytes / 1000:.1f}", " ".join(f"{score:.1f}" for score in seen[name].scores)
        figures = f"{statistics.median(cpu_ms[name]):.1f}", *quality
        if name == OURS:
            yield row.what, row.into, name, cells(ours), "", *figures, ""
            continue
        lead = ratio(ours, each)
        yield row.what, row.into, name, cells(each), f"{lead:.2f}", *figures, outcome(lead, seen[OURS], seen[name])
        if name.startswith("oximg") and row.format == "jpg" and (row.what, row.box) in IMGPROXY_TO_OXIMG:
            would = [rate * IMGPROXY_TO_OXIMG[row.what, row.box] for rate in each]
            yield row.what, row.into, "imgproxy, estimated", cells(would), f"{ratio(ours, would):.2f}", "", "", "", ""


def outcome(lead: float, ours: Verdict, theirs: Verdict) -> str:
    """Whether the row is won, or in what ours is behind; without scores, nobody can say that it is won."""
    behind = ["rate"] * (lead < 1) + ["bytes"] * (ours.bytes > theirs.bytes * BYTES_ALIKE)
    behind += ["score"] * any(
        mine < other - SCORES_ALIKE for mine, other in zip(ours.scores, theirs.scores, strict=True)
    )
    if behind:
        return f"behind: {', '.join(behind)}"
    return "won" if ours.scores else "no score"


def wanted(*, is_short: bool) -> list[Row]:
    """The rows to measure."""
    if is_short:
        return [Row(CAMERA, [camera_photo], box) for box in (256, 1024)]
    jpegs = {CAMERA: camera_photo, LARGE: cache(large_photo), PHONE: cache(phone_photo)}
    png = cache(png_photo)
    rows = [Row(what, [photo], box) for what, photo in jpegs.items() for box in PRESETS]
    rows += [Row(CAMERA, [camera_photo], box, format) for format in ("webp", "avif") for box in (256, 1024)]
    rows += [Row(PNG, [png], box) for box in PRESETS if box < 1920]
    if which("heif-enc"):
        rows += [Row(HEIC, [cache(heic_photo)], box, is_scored=False) for box in PRESETS]  # no reference reads it
    return rows + [Row(MIXED, [*jpegs.values(), png], 512, format) for format in ("jpg", "webp", "avif")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="sources a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="only the camera's photograph at 256 and 1024 px")
    parser.add_argument("--only", default="", metavar="WORD", help="only rows whose source or format has this word")
    arguments = parser.parse_args()
    table: list[tuple[str, ...]] = []
    rows = [row for row in wanted(is_short=arguments.short) if arguments.only in f"{row.what} {row.into}"]
    if not rows:
        parser.error(f"no row has {arguments.only!r}")
    with start_servers() as held:
        warm_up(Measured(held, rows[0], arguments.count, 1 + len(rows) * (arguments.rounds + 1)))
        for number, row in enumerate(rows):
            measured = Measured(held, row, arguments.count, 1 + number * (arguments.rounds + 1))
            found = rates(arguments.rounds, measured.measures())
            table += lines(row, found, measured.cpu_ms, measured.verdicts)
            print(f"{number + 1} of {len(rows)} rows: {row.what}, {row.into}", file=sys.stderr)
        table += [(missing, "", "skipped", *[""] * 6) for missing in held.missing]
    question = "Renditions of images that were never viewed, each request on its own connection: rate, cost and quality"
    report("cold_renditions", question, HEADER, table, is_whole=not arguments.only)


if __name__ == "__main__":
    main()
