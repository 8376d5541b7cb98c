"""Compares this host with other image servers: the same sources, interleaved rounds, medians and ratios of rates."""

import contextlib
import statistics
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from json import load
from pathlib import Path

from benchmarks.harness import RunningServer, server
from benchmarks.peers import IMAGE_PEERS, ImagePeer, Missing

PRESETS = {256: "thumbnail", 512: "small", 1024: "medium", 2048: "large"}
OURS = "ours"


@dataclass(slots=True)
class Comparison:
    """The servers that run, and which are missing. Files for the peers lie in `folder`."""

    ours: RunningServer
    folder: Path
    peers: list[ImagePeer] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def peer_names(self, sources: Sequence[tuple[str, bytes]]) -> list[str]:
        """Lay the sources down for the peers."""
        for name, data in sources:
            (self.folder / name).write_bytes(data)
        return [name for name, _ in sources]

    def slugs(self, sources: Sequence[tuple[str, bytes]]) -> list[str]:
        """Upload the sources to ours; each is new to it."""
        return [self._upload(name, data) for name, data in sources]

    def _upload(self, name: str, data: bytes) -> str:
        url = f"{self.ours.url}/api/v1/images?filename={urllib.parse.quote(name)}"
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method="POST")) as reply:
            return str(load(reply)["slug"])

    def our_url(self, slug: str, box: int, format: str = "jpg") -> str:
        return f"{self.ours.url}/i/{slug}/{PRESETS[box]}.{format}"


@contextlib.contextmanager
def start_servers() -> Iterator[Comparison]:
    """Every server started; the peers that are not installed are named in `missing`."""
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="appliance-bench-")))
        folder = scratch / "sources"
        folder.mkdir()
        held = Comparison(stack.enter_context(server(RENDITIONS_PREWARM="")), folder)
        for start in IMAGE_PEERS:
            try:
                held.peers.append(stack.enter_context(start(folder)))
            except Missing as missing:
                held.missing.append(str(missing))
        yield held


def rates(rounds: int, measures: dict[str, Callable[[int], float]]) -> dict[str, list[float]]:
    """Each measure once a round (told the round's number), in turn, so that a machine that slows down slows all."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure(number))
    return found


def cells(found: Sequence[float]) -> str:
    """Median, and from lowest to highest."""
    return f"{statistics.median(found):.1f} ({min(found):.1f}-{max(found):.1f})"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
