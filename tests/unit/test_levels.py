"""Levels and tiles as OpenSeadragon 6.1 works them out of an info.json: nothing of a picture is lost."""

import math
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appliance.domain.model import Image
from appliance.domain.regions import TILE_PX, Cut, level_sizes, scale_factors
from appliance.domain.renditions import Facts, Format
from appliance.http.iiif.paths import parse_region_request

MAX_AREA = 100_000_000
PICTURES = [(4160, 3120), (4000, 3000), (6000, 4500), (3073, 3073), (1080, 12_000), (513, 1), (1, 1)]
SIDES = st.integers(1, 9000)


def levels(width: int, height: int) -> list[tuple[int, int]]:
    """From the smallest to the whole picture. Sizes are taken for levels if they are as many and as large."""
    factors, sizes = scale_factors(width, height), level_sizes(width, height, MAX_AREA)
    if sizes[-1][0] < width and sizes[-1][1] < height:
        sizes.append((width, height))
    fitting = [
        js_round(width / w) == factor and js_round(height / h) == factor
        for (w, h), factor in zip(sizes, reversed(factors), strict=False)
    ]
    if len(sizes) == len(factors) and all(fitting):
        return sizes
    return [(math.ceil(width / factor), math.ceil(height / factor)) for factor in reversed(factors)]


def js_round(number: float) -> int:
    return math.floor(number + 0.5)


def tiles(width: int, height: int, level: int) -> Iterator[tuple[str, str]]:
    """Region and size of every tile of a level."""
    across, down = levels(width, height)[level]
    reach = TILE_PX << (len(scale_factors(width, height)) - 1 - level)
    if across < TILE_PX and down < TILE_PX:
        yield "full", "max" if (across, down) == (width, height) else f"{across},{down}"
        return
    for y in range(math.ceil(down / TILE_PX)):
        for x in range(math.ceil(across / TILE_PX)):
            part = min(reach, width - x * reach), min(reach, height - y * reach)
            size = min(TILE_PX, across - x * TILE_PX), min(TILE_PX, down - y * TILE_PX)
            yield f"{x * reach},{y * reach},{part[0]},{part[1]}", f"{size[0]},{size[1]}"


def cuts(width: int, height: int, level: int) -> list[Cut]:
    """The tiles of a level as they are served, which each of them has to be."""
    image = Image("s", "a.jpg", Facts("image/jpeg", width, height), 1, "a" * 64, 0, 1, "b" * 64)
    return [
        parse_region_request(image, (region, size, "0", "default.jpg"), (Format.JPG,), MAX_AREA)
        for region, size in tiles(width, height, level)
    ]


def check_row(spans: set[tuple[int, int, int]], of_picture: int, of_level: int) -> None:
    """Tiles side by side, each as start and length in the picture and length in the level, leave no gap.

    A viewer draws them one behind the other, so each is drawn within a pixel of where its part of the picture belongs.
    """
    start, drawn = 0, 0
    for at, length, shown in sorted(spans):
        assert at == start
        assert abs(at * of_level / of_picture - drawn) < 1
        start, drawn = at + length, drawn + shown
    assert (start, drawn) == (of_picture, of_level)


def check_level(width: int, height: int, level: int) -> None:
    """The tiles of a level are a grid, and its columns and rows show the whole picture."""
    across, down = levels(width, height)[level]
    found = cuts(width, height, level)
    columns = {(cut.region.x, cut.region.width, cut.width) for cut in found}
    rows = {(cut.region.y, cut.region.height, cut.height) for cut in found}
    assert len(found) == len(columns) * len(rows)
    check_row(columns, width, across)
    check_row(rows, height, down)


@pytest.mark.parametrize(("width", "height"), PICTURES)
def test_every_level_shows_the_whole_picture(width: int, height: int) -> None:
    for level in range(len(levels(width, height))):
        check_level(width, height, level)


@settings(deadline=None)
@given(SIDES, SIDES)
@example(TILE_PX + 1, TILE_PX)
@example(2 * TILE_PX + 1, 4 * TILE_PX - 1)
@example(65_535, 1)
def test_tiles_show_all_of_a_picture_of_any_size(width: int, height: int) -> None:
    for level in range(len(levels(width, height))):
        check_level(width, height, level)


@given(SIDES, SIDES)
def test_levels_are_rounded_up_whatever_the_picture(width: int, height: int) -> None:
    factors = scale_factors(width, height)
    assert levels(width, height) == [(-(-width // by), -(-height // by)) for by in reversed(factors)]


def test_sizes_that_nobody_may_ask_for_are_not_listed() -> None:
    sizes = level_sizes(20_000, 20_000, MAX_AREA)
    assert sizes[-1] == (10_000, 10_000)
    assert sizes[0] == (313, 313)
