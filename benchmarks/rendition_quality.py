"""Are our renditions as good as those of other servers for the same number of bytes, all set to the same quality?

SSIMULACRA2 (100: identical, 90: no visible difference, 70: good) compares each answer with the source, reduced to the
same size losslessly by Lanczos. The reduction works either on the stored values, as this host, sharp and thumbor do, or
in linear light, as oximg does; each favours the servers that work the same way, so both are measured.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pyvips
from ssimulacra2 import compute_ssimulacra2

from benchmarks.harness import report
from benchmarks.inputs.photographs import large_photo, png_photo
from benchmarks.peers.comparison import OURS, PRESETS, Comparison, start_servers
from benchmarks.peers.images import QUALITIES
from tests.support.images.pictures import camera_photo

LIGHTS = ("srgb", "scrgb")
"""The spaces of the references: values as stored, and linear light."""
NOT_MADE = "-"


@dataclass(frozen=True, slots=True)
class Case:
    """One source (its file's name) in one size and format."""

    source: str
    box: int
    format: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer's bytes, and its score against each reference in the order of `LIGHTS`."""

    bytes: int
    scores: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.bytes / 1000:.1f} KB {' '.join(f'{score:.1f}' for score in self.scores)}"


def judged(source: bytes, answer: bytes) -> Verdict:
    picture = pyvips.Image.new_from_buffer(answer, "")
    with tempfile.TemporaryDirectory(prefix="appliance-quality-") as folder:
        shown = Path(folder, "shown.png")
        picture.pngsave(str(shown), compression=1, keep="none")
        scores = []
        for light in LIGHTS:
            reference = Path(folder, f"{light}.png")
            reduced(source, picture.width, picture.height, light).pngsave(str(reference), compression=1, keep="none")
            scores.append(compute_ssimulacra2(str(reference), str(shown)))
    return Verdict(len(answer), tuple(scores))


def reduced(source: bytes, width: int, height: int, light: str) -> pyvips.Image:
    """The whole source, decoded pixel by pixel, in that size."""
    whole = pyvips.Image.new_from_buffer(source, "").colourspace(light)
    smaller = whole.resize(width / whole.width, vscale=height / whole.height, kernel="lanczos3", gap=0)
    assert (smaller.width, smaller.height) == (width, height)
    return smaller.colourspace("srgb")


def answer(url: str, format: str) -> bytes | None:
    """The bytes at `url`; None where the server does not make that format."""
    with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(url) as reply:
        data = bytes(reply.read())
        loader = str(pyvips.Image.new_from_buffer(data, "").get("vips-loader"))
        return data if loader.startswith({"jpg": "jpeg", "avif": "heif"}.get(format, format)) else None
    return None


def answers(held: Comparison, cases: Sequence[Case], sources: dict[str, bytes]) -> dict[tuple[Case, str], bytes]:
    """What each server makes of each case, by case and server."""
    slugs = dict(zip(sources, held.slugs(list(sources.items())), strict=True))
    held.peer_names(list(sources.items()))
    found = {}
    for case in cases:
        jpeg = held.our_url(slugs[case.source], case.box)
        urls = {OURS: f"{jpeg.removesuffix('jpg')}{case.format}"}
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
    """Each peer beside ours, by format: medians of the ratios of bytes and of the differences of scores."""
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
        rows.append(("all, beside ours", "", format, *cells))
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
    parser.add_argument("--short", action="store_true", help="only the camera's photograph, up to 1024 px")
    short = parser.parse_args().short
    sources = {"camera.jpg": camera_photo()}
    if not short:
        sources |= {"large.jpg": large_photo(), "screen.png": png_photo()}
    boxes = [box for box in PRESETS if not short or box <= 1024]
    widths = {name: pyvips.Image.new_from_buffer(data, "").width for name, data in sources.items()}
    cases = [
        Case(name, box, format) for name in sources for box in boxes for format in QUALITIES if box <= widths[name]
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
