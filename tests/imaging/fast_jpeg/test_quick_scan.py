"""The quick scan, which reads four coefficients of a block and skips the others: held to libjpeg, block by block."""

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from appliance.imaging.fast_jpeg.extension import Extension, WantedSize, libjpeg, libwebp
from tests.imaging.fast_jpeg import handmade
from tests.imaging.fast_jpeg.compiling import SANITIZED, compiled, native_sources, sanitizer
from tests.imaging.fast_jpeg.scans import Scan, random_jpeg
from tests.imaging.fast_jpeg.test_sizes import photo, turned
from tests.support.images import pictures
from tests.support.images.distance import distance

PROGRAM = Path(__file__).parent / "native/quick_scan.c"
INCLUDED = frozenset(("fast_jpeg.c", "quarter.c"))
DAMAGED, SECONDS = 3000, 120
LARGE, SIZE = (1000, 664), (125, 83)
SAMPLINGS: dict[str, Scan] = {
    "4:2:0": Scan(),
    "4:4:4": Scan(factors=((1, 1), (1, 1), (1, 1))),
    "4:2:2": Scan(factors=((2, 1), (1, 1), (1, 1))),
    "4:4:0": Scan(factors=((1, 2), (1, 1), (1, 1))),
    "4:1:1": Scan(factors=((4, 1), (1, 1), (1, 1))),
    "4:1:0": Scan(factors=((4, 2), (1, 1), (1, 1))),
    "grey": Scan(factors=((1, 1),)),
    "grey that says 2 x 2": Scan(factors=((2, 2),)),
    "a marker after each MCU": Scan(interval=1),
    "a marker after some": Scan(interval=5, fill=2),
    "one pixel": Scan(size=(1, 1)),
    "wide": Scan(size=(1200, 3), interval=11),
}


@cache
def large(**options: Any) -> bytes:
    return photo(LARGE, **options)


def small(extension: Extension, jpeg: bytes, orientation: int = 1) -> bytes | None:
    """The JPEG at `SIZE`, decoded at a quarter."""
    made = extension.render(jpeg, [WantedSize(SIZE, None, 95, effort=0)], shrink=4, orientation=orientation)
    return made[0] if made else None


def reduced(jpeg: bytes) -> Image.Image:
    return pictures.opened(jpeg).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)


def with_comment(jpeg: bytes) -> bytes:
    """Between the scan and the end, where the quick scan expects none."""
    return jpeg[:-2] + b"\xff\xfe\x00\x04hi" + jpeg[-2:]


KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"subsampling": "4:4:4"},
    {"subsampling": "4:2:2"},
    {"mode": "L"},
    {"restart_marker_rows": 1},
    {"optimize": True},
    {"quality": 40},
    {"progressive": True},
)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_small_size_looks_like_the_image(extension: Extension, kind: dict[str, Any]) -> None:
    made = small(extension, large(**kind))
    assert made is not None
    assert distance(pictures.opened(made).convert("RGB"), reduced(large(**kind))) < 4


def test_libjpeg_reads_what_is_odd_and_it_looks_the_same(extension: Extension) -> None:
    quick, slow = small(extension, large()), small(extension, with_comment(large()))
    assert quick is not None
    assert slow is not None
    assert quick != slow
    assert distance(pictures.opened(quick), pictures.opened(slow)) < 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned(extension: Extension, orientation: int) -> None:
    size = LARGE[::-1] if orientation >= 5 else LARGE
    quick = small(extension, turned(orientation, size), orientation)
    slow = small(extension, with_comment(turned(orientation, size)), orientation)
    assert quick is not None
    assert slow is not None
    assert distance(pictures.opened(quick), pictures.opened(slow)) < 2


def with_third_marker(marker: bytes) -> bytes:
    """A file in which something else stands for its third restart marker."""
    return marker.join(large(restart_marker_rows=1).split(b"\xff\xd2", 1))


BROKEN: dict[str, Callable[[], bytes]] = {
    "cut short": lambda: large()[:-20_000],
    "without an end": lambda: large()[:-2],
    "with the wrong restart marker": lambda: with_third_marker(b"\xff\xd5"),
    "without a restart marker": lambda: with_third_marker(b""),
    "with bytes before a restart marker": lambda: with_third_marker(b"\x12\x34\xff\xd2"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_scan_is_left_to_libvips(extension: Extension, case: str) -> None:
    assert small(extension, BROKEN[case]()) is None


def files() -> dict[str, bytes]:
    small_photos = {
        f"{size[0]} x {size[1]}, {sampling}, {interval}, {quality}": photo(
            size, subsampling=sampling, restart_marker_blocks=interval, quality=quality, optimize=quality == 97
        )
        for size in ((123, 77), (16, 16), (7, 200))
        for sampling in ("4:4:4", "4:2:2", "4:2:0", "4:1:1")
        for interval in (0, 1, 7)
        for quality in (20, 85, 97)
    }
    random_ones = {f"{name}, {seed}": random_jpeg(seed, scan) for name, scan in SAMPLINGS.items() for seed in range(4)}
    photos = {name: pictures.small_photo(name) for name in ("astronaut", "chelsea", "coffee", "rocket")}
    return small_photos | random_ones | photos | handmade.WHOLE | {"of a camera": pictures.camera_photo()}


@pytest.mark.long
def test_it_reads_what_libjpeg_reads_and_touches_no_memory_that_is_not_its_own(
    extension: Extension, tmp_path: Path
) -> None:
    sanitizer()
    program = compiled(tmp_path / "quick_scan", *SANITIZED, PROGRAM, *native_sources(without=INCLUDED))
    whole, others = files(), handmade.ODD | handmade.DAMAGED
    for name, data in (whole | others).items():
        (tmp_path / f"{name}.jpg").write_bytes(data)
    ran = subprocess.run(
        [program, libjpeg(), libwebp(), str(DAMAGED), str(SECONDS), *tmp_path.glob("*.jpg")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    taken, left = (
        {Path(line.split(" ", 1)[1]).stem for line in ran.stdout.splitlines() if line.startswith(f"{outcome} ")}
        for outcome in ("taken", "left")
    )
    assert (taken, left) == (set(whole), set(others))
