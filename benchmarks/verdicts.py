"""Verdicts on what image servers answer: its bytes, and how close it comes to the source."""

import statistics
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pyvips

LIGHTS = ("srgb", "scrgb")
"""The spaces of the references: values as stored, and linear light."""
CAN_SCORE = find_spec("ssimulacra2") is not None
"""Whether `make quality` has installed what scores need."""
NOT_MADE = (400, 404, 406, 415, 422)
"""Statuses of a server that does not make a format, or doesn't read the source: thumbor has 400, oximg 400 and 422."""
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer's bytes, and its SSIMULACRA2 score against each reference, in the order that was asked for."""

    bytes: int
    scores: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.bytes / 1000:.1f} KB {' '.join(f'{score:.1f}' for score in self.scores)}"


def answer(url: str, format: str) -> bytes | None:
    """The bytes at `url`; None where the server does not make that format. Raises HTTPError for any other failure."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as reply:
            data = bytes(reply.read())
    except urllib.error.HTTPError as error:
        with error:
            if error.code in NOT_MADE:
                return None
            raise
    loader = str(pyvips.Image.new_from_buffer(data, "").get("vips-loader"))
    return data if loader.startswith({"jpg": "jpeg", "avif": "heif"}.get(format, format)) else None


def judged(source: bytes, answer: bytes, lights: Sequence[str] = LIGHTS) -> Verdict:
    """The verdict on an answer in any size; without scores where they can't be had."""
    from ssimulacra2 import compute_ssimulacra2  # noqa: PLC0415 - of the packages for benchmarks alone

    picture = _shown(answer)
    with tempfile.TemporaryDirectory(prefix="appliance-quality-") as folder:
        shown = Path(folder, "shown.png")
        picture.pngsave(str(shown), compression=1, keep="none")
        scores = []
        for light in lights:
            reference = Path(folder, f"{light}.png")
            reduced(source, picture.width, picture.height, light).pngsave(str(reference), compression=1, keep="none")
            scores.append(compute_ssimulacra2(str(reference), str(shown)))
    return Verdict(len(answer), tuple(scores))


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict on several answers: the bytes of an answer on average, and every score."""
    scores = tuple(score for verdict in verdicts for score in verdict.scores)
    return Verdict(round(statistics.mean(verdict.bytes for verdict in verdicts)), scores)


def reduced(source: bytes, width: int, height: int, light: str) -> pyvips.Image:
    """The whole source, decoded pixel by pixel, in that size."""
    whole = _shown(source).colourspace(light)
    smaller = whole.resize(width / whole.width, vscale=height / whole.height, kernel="lanczos3", gap=0)
    assert (smaller.width, smaller.height) == (width, height)
    return smaller.colourspace("srgb")


def _shown(file: bytes) -> pyvips.Image:
    """As a viewer shows it: upright, and in sRGB."""
    image = pyvips.Image.new_from_buffer(file, "").autorot()
    if image.get_typeof("icc-profile-data"):
        return image.icc_transform("srgb", embedded=True)
    return image
