"""A pyramidal TIFF or dzsave? And from which size on is a pyramid worth its cost?

Both are written to a descriptor, as in a worker, with one thread and the same tiles. A tile in dzsave's zip is read as
it is; every other IIIF request would have to be assembled from several tiles.
"""

import multiprocessing
import os
import random
import resource
import tempfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyvips

from appliance.domain.regions import TILE_PX, Cut, Material, Quality, Region
from appliance.domain.renditions import Facts, Format
from appliance.imaging.pyramid import build_pyramid
from appliance.imaging.regions import cut_all
from benchmarks.harness import report, spread
from tests.support.images.pictures import photo_like

SIZES = ((4000, 3000), (6000, 4000), (8000, 6000), (20_000, 20_000))
HELD_SIDE_PX = 8000  # larger ones are repeated, for making them would take longer than measuring
TILES = 100
VIEW = 8  # tiles that a viewer asks for at once
REPEATS = 5
QUESTION = f"A pyramidal TIFF against dzsave (IIIF 3 in a zip). One thread, tiles of {TILE_PX} px; median (p5-p95)"
HEADER = (
    "image",
    "original: a tile, ms",
    f"{VIEW} tiles at once, ms",
    "TIFF: s",
    "MB memory",
    "MB disk",
    "a tile, ms",
    "any region, ms",
    "dzsave: s",
    "MB memory",
    "MB disk",
    "a tile, ms",
)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Built:
    """What building took, in a process of its own."""

    seconds: float
    memory_bytes: int
    disk_bytes: int


def main() -> None:
    rows = []
    for width, height in SIZES:
        for format_ in ("jpeg", "png"):
            with tempfile.TemporaryDirectory(prefix="appliance-bench-") as folder:
                source, tiff, archive = (Path(folder, name) for name in ("source", "tiles.tif", "tiles.zip"))
                _apart(_write, source, width, height, format_)
                built = [_apart(_built, *work) for work in ((build_pyramid, source, tiff), (_dzsave, source, archive))]
                seconds = _apart(_timed, source, tiff, archive, Facts("", width, height))
                one, view, tile, region, zipped = map(spread, seconds)
                name = f"{width}x{height} {format_}"
                rows.append([name, one, view, *_told(built[0]), tile, region, *_told(built[1]), zipped])
    report("pyramid_formats", QUESTION, HEADER, rows)


def _apart(work: Callable[..., Result], *arguments: object) -> Result:
    """In a fresh process with one thread, so that its memory is told alone."""
    os.environ["VIPS_CONCURRENCY"] = "1"
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _timed(source: Path, tiff: Path, archive: Path, facts: Facts) -> list[list[float]]:
    """One tile and a view from the original; tiles and regions from the pyramid; tiles from the zip."""
    random.seed(1)
    with source.open("rb") as original, tiff.open("rb") as pyramid:
        straight = [
            [_seconds(original.fileno(), facts, Material.ORIGINAL, _view(facts, count)) for _ in range(REPEATS)]
            for count in (1, VIEW)
        ]
        tiled = [
            [_seconds(pyramid.fileno(), facts, Material.PYRAMID, (wanted(facts),)) for _ in range(TILES)]
            for wanted in (_tile, _region)
        ]
    return [*straight, *tiled, _zipped(archive)]


def _told(built: Built) -> list[str]:
    return [f"{built.seconds:.1f}", f"{built.memory_bytes / 1e6:.0f}", f"{built.disk_bytes / 1e6:.0f}"]


def _write(path: Path, width: int, height: int, format_: str) -> None:
    picture = photo_like(min(width, HELD_SIDE_PX), min(height, HELD_SIDE_PX)).copy_memory()
    picture = picture.replicate(-(-width // picture.width), -(-height // picture.height)).crop(0, 0, width, height)
    if format_ == "jpeg":
        picture.write_to_file(f"{path}.jpg", Q=85)
        path.with_suffix(".jpg").rename(path)
    else:
        picture.write_to_file(f"{path}.png", compression=3)
        path.with_suffix(".png").rename(path)


def _built(build: Callable[[int, int], None], source: Path, output: Path) -> Built:
    with source.open("rb") as original, output.open("w+b") as target:
        began = time.perf_counter()
        build(original.fileno(), target.fileno())
        seconds = time.perf_counter() - began
    memory_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Built(seconds, memory_bytes, output.stat().st_size)


def _dzsave(fd: int, output_fd: int) -> None:
    picture = pyvips.Image.new_from_source(pyvips.Source.new_from_descriptor(fd), "", access="sequential")
    picture.dzsave_target(
        pyvips.Target.new_to_descriptor(output_fd),
        container="zip",
        layout="iiif3",
        tile_size=TILE_PX,
        suffix=".jpg[Q=88]",
        imagename="tiles",
        keep="none",
    )


def _seconds(fd: int, facts: Facts, material: Material, cuts: tuple[Cut, ...]) -> float:
    began = time.perf_counter()
    cut_all(fd, facts, material, cuts)
    return time.perf_counter() - began


def _view(facts: Facts, count: int) -> tuple[Cut, ...]:
    """Neighbouring tiles in the middle."""
    left, top = facts.width // 2 // TILE_PX, facts.height // 2 // TILE_PX
    places = [(left + number % 4, top + number // 4) for number in range(count)]
    return tuple(_cut(Region(x * TILE_PX, y * TILE_PX, TILE_PX, TILE_PX)) for x, y in places)


def _tile(facts: Facts) -> Cut:
    x, y = random.randrange(facts.width // TILE_PX), random.randrange(facts.height // TILE_PX)
    return _cut(Region(x * TILE_PX, y * TILE_PX, TILE_PX, TILE_PX))


def _region(facts: Facts) -> Cut:
    """Anywhere, of any size, as 512 pixels."""
    side = random.randrange(TILE_PX, min(facts.width, facts.height))
    return _cut(Region(random.randrange(facts.width - side), random.randrange(facts.height - side), side, side))


def _cut(region: Region) -> Cut:
    return Cut(region, TILE_PX, TILE_PX, False, 0, Quality.DEFAULT, Format.JPG)


def _zipped(path: Path) -> list[float]:
    seconds = []
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        for name in random.sample(names, min(TILES, len(names))):
            began = time.perf_counter()
            archive.read(name)
            seconds.append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()
