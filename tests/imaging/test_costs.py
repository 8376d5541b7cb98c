"""The estimate that decides which lane an image takes."""

import pytest

from appliance.config.model import GB, MB, Renditions
from appliance.domain import formats
from appliance.domain.formats import ACCEPTED, FormatSpec
from appliance.imaging.costs import decode_bytes, refusal

NORMAL = Renditions().memory_bytes
HEAVY = 3 * GB


def cost(kind: FormatSpec, side: int, **more: int | bool | str) -> int:
    return decode_bytes(kind, side, side, file_bytes=1 * MB, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", list(ACCEPTED), ids=lambda spec: spec.name)
def test_a_cameras_picture_takes_the_normal_lane(kind: FormatSpec) -> None:
    assert cost(kind, 4900) < NORMAL  # 24 megapixels


@pytest.mark.parametrize("kind", [formats.JPEG, formats.PNG, formats.TIFF])
def test_what_is_read_line_by_line_takes_the_normal_lane_at_any_height(kind: FormatSpec) -> None:
    assert decode_bytes(kind, 30_000, 1_000_000, file_bytes=0) < NORMAL


def test_a_progressive_giant_is_heavy_and_its_chroma_counts() -> None:
    sparse = cost(formats.JPEG, 20_000, progressive=True, chroma="4:2:0")
    assert NORMAL < sparse < HEAVY
    assert sparse > 1229 * MB  # measured
    assert sparse < cost(formats.JPEG, 20_000, progressive=True, chroma="4:4:4") < HEAVY
    assert cost(formats.JPEG, 24_000, progressive=True, chroma="4:4:4") > HEAVY


def test_a_few_wide_lines_cost_no_more_than_their_pixels() -> None:
    assert decode_bytes(formats.PNG, 1_000_000, 1, file_bytes=0) < NORMAL
    assert decode_bytes(formats.PNG, 1_000_000, 100, file_bytes=0) < NORMAL
    assert decode_bytes(formats.PNG, 1_000_000, 1000, file_bytes=0) > HEAVY


def test_high_tiles_are_held_by_the_row() -> None:
    assert cost(formats.TIFF, 20_000, block_lines=256) < NORMAL
    assert cost(formats.TIFF, 20_000, block_lines=8192) > 2 * 20_000 * 8192 * 3


def test_an_interlaced_png_is_held_whole() -> None:
    assert cost(formats.PNG, 20_000, progressive=True) > 3 * 20_000**2
    assert cost(formats.PNG, 20_000) < NORMAL


def test_frames_cost_up_to_what_animations_are_held_to() -> None:
    few, many, too_many = (
        cost(formats.GIF, 500, frames=frames, animation_bytes=400 * MB) for frames in (2, 100, 100_000)
    )
    assert few < many < too_many < NORMAL


def test_within_the_limits_nothing_is_refused() -> None:
    assert refusal(10, 10, 100, max_pixels=100, max_memory_bytes=100) is None
    assert refusal(10, 11, 100, max_pixels=100, max_memory_bytes=100) is not None
    words = refusal(10, 10, 2_000_000_001, max_pixels=100, max_memory_bytes=2_000_000_000)
    assert words == "Resizing it needs about 2,001 MB of memory, but this host allows 2,000 MB."
