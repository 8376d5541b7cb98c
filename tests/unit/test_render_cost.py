"""Which pictures are long work: by what they are, not by their bytes."""

import pytest

from appliance.domain.regions import TILE_PX, Cut, Quality, Region, most_area
from appliance.domain.render_cost import decode_s, is_long, is_long_cut
from appliance.domain.renditions import Facts, Format


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp", "avif", "heic", "gif"])
def test_a_phones_picture_is_short_work_and_a_giant_is_long(kind: str) -> None:
    assert not is_long(Facts(f"image/{kind}", 4032, 3024))
    assert is_long(Facts(f"image/{kind}", 20_000, 20_000))


def test_progressive_scans_and_frames_count() -> None:
    assert decode_s(Facts("image/jpeg", 5000, 4000, progressive=True)) > decode_s(Facts("image/jpeg", 5000, 4000))
    assert is_long(Facts("image/gif", 800, 600, frames=100))
    assert not is_long(Facts("image/gif", 100, 100, frames=100))
    assert not is_long(Facts("image/tiff", 800, 600, frames=100))  # pages that nobody asks for cost nothing


@pytest.mark.parametrize("format_", Format)
def test_a_tile_is_short_work_in_every_format_and_the_most_of_an_answer_is_long(format_: Format) -> None:
    most = most_area(format_, 25_000_000)
    for width, height, long in ((TILE_PX, TILE_PX, False), (1000, most // 1000, True)):
        cut = Cut(Region(0, 0, width, height), width, height, False, 0, Quality.DEFAULT, format_)
        assert is_long_cut(cut) is long


@pytest.mark.parametrize("format_", Format)
def test_a_tile_may_always_be_asked_for(format_: Format) -> None:
    assert most_area(format_, TILE_PX * TILE_PX) == TILE_PX * TILE_PX
