"""Are our renditions as good as those of other servers for the same number of bytes, all set to the same quality?

SSIMULACRA2 (100: identical, 90: no visible difference, 70: good) compares each answer with the source, reduced to the
same size losslessly by Lanczos. The reduction works either on the stored values, as this host, sharp and thumbor do, or
in linear light, as oximg does; each favours the servers that work the same way, so both are measured.
"""

import argparse
import os
import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import pyvips

from benchmarks.harness import report
from benchmarks.inputs.photographs import large_photo, png_photo
from benchmarks.peers.comparison import OURS, PRESETS, Comparison, start_servers
from benchmarks.peers.images import QUALITIES
from benchmarks.verdicts import LIGHTS, Verdict, answer, judged
from tests.support.images.pictures import camera_photo

NOT_MADE = "-"


@dataclass(frozen=True, slots=True)
class Case:
    """One source (its file's name) in one size and format."""

    source: str
    box: int
    format: str


def answers(held: Comparison, cases: Sequence[Case], sources: dict[str, bytes]) -> dict[tuple[Case, str], bytes]:
    """What each server makes of each case, by case and server."""
    slugs = dict(zip(sources, held.slugs(list(sources.items())), strict=True))
    held.peer_names(list(sources.items()))
    found = {}
    for case in cases:
        urls = {OURS: held.our_url(slugs[case.source], case.box, case.format)}
        urls |= {peer.name: peer.url(case.source, case.box, case.format) for peer in held.peers}
        for name, url in urls.items():
            if (data := answer(url, case.format)) is not None:
                found[case, name] = data
    return found


Verdicts = dict[tuple[Case, str], Verdict]


def table(cases: Sequence[Case], names: Sequence[str], verdicts: Verdicts) -> list[tuple[str, ...]]:
    return [
        (case.source, f"{case.box} px", case.format, *(str(verdicts.get((case, name), NOT_MADE)) for name in names))
        for case in cases
    ]


def summary(cases: Sequence[Case], names: Sequence[str], verdicts: Verdicts) -> list[tuple[str, ...]]:
    """Each peer compared with ours, by format: medians of the ratios of bytes and of the differences of scores."""
    rows = []
    for format in QUALITIES:
        cells = []
        for name in names:
            pairs = [
                (verdicts[case, name], verdicts[case, OURS])
                for case in cases
                if case.format == format and (case, name) in verdicts
            ]
            cells.append(compared(pairs) if pairs else NOT_MADE)
        rows.append(("all, compared with ours", "", format, *cells))
    return rows


def compared(pairs: Sequence[tuple[Verdict, Verdict]]) -> str:
    ratio = statistics.median(theirs.bytes / ours.bytes for theirs, ours in pairs)
    gains = (
        statistics.median(theirs.scores[place] - ours.scores[place] for theirs, ours in pairs)
        for place in range(len(LIGHTS))
    )
    return f"x{ratio:.2f} {' '.join(f'{gain:+.1f}' for gain in gains)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="only the camera's photograph")
    short = parser.parse_args().short
    sources = {"camera.jpg": camera_photo()}
    if not short:
        sources |= {"large.jpg": large_photo(), "screen.png": png_photo()}
    widths = {name: pyvips.Image.new_from_buffer(data, "").width for name, data in sources.items()}
    cases = [
        Case(name, box, format) for name in sources for box in PRESETS for format in QUALITIES if box <= widths[name]
    ]
    with start_servers() as held:
        found = answers(held, cases, sources)
        names = [OURS, *(peer.name for peer in held.peers)]
        missing = held.missing
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        originals = [sources[case.source] for case, _ in found]
        verdicts = dict(zip(found, pool.map(judged, originals, found.values()), strict=True))
    rows = table(cases, names, verdicts) + summary(cases, names, verdicts)
    rows += [(words, "", "skipped", *("" for _ in names)) for words in missing]
    qualities = ", ".join(f"{format} {quality}" for format, quality in QUALITIES.items())
    question = (
        f"Bytes and SSIMULACRA2 of each rendition, all servers set to the same quality ({qualities}), against the "
        "source reduced in stored values and in linear light. Goal: no peer scores higher at the same bytes"
    )
    report("rendition_quality", question, ("source", "into", "format", *names), rows)


if __name__ == "__main__":
    main()
