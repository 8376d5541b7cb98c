"""The shapes of sizes: fitted into boxes, and by width where a picture is tall."""

import pytest

from appliance.config.model import Config
from appliance.domain.model import Image
from appliance.domain.renditions import MAX_HEIGHT_PX, PLACEHOLDER, Facts, Preset, distinct, fit, is_tall, shape
from appliance.http.pages.link_previews import previews

THUMBNAIL, SMALL, MEDIUM, LARGE = (
    Preset(name, box_px) for name, box_px in (("thumbnail", 256), ("small", 512), ("medium", 1024), ("large", 2048))
)


@pytest.mark.parametrize(
    ("width", "height", "preset", "size"),
    [
        (4000, 3000, MEDIUM, (1024, 768)),
        (3000, 9000, MEDIUM, (341, 1024)),  # three to one is not tall yet
        (10_000, 100, SMALL, (512, 5)),  # nor is what lies
        (1080, 12_000, THUMBNAIL, (256, 256)),
        (1080, 12_000, SMALL, (512, 5689)),
        (1080, 12_000, MEDIUM, (1024, 11_378)),
        (1080, 12_000, LARGE, (1080, 12_000)),
        (1080, 60_000, LARGE, (1080, MAX_HEIGHT_PX)),
        (100, 400, THUMBNAIL, (100, 256)),
        (1, 20_000, SMALL, (1, MAX_HEIGHT_PX)),
        (1080, 12_000, PLACEHOLDER.preset, (2, 24)),
    ],
)
def test_a_size_fits_its_box_or_has_its_width(width: int, height: int, preset: Preset, size: tuple[int, int]) -> None:
    assert fit(width, height, preset) == size


@pytest.mark.parametrize(
    ("size", "names"),
    [
        ((4000, 3000), ["thumbnail", "small", "medium", "medium-large", "large"]),
        ((1200, 800), ["thumbnail", "small", "medium", "medium-large"]),
        ((300, 200), ["thumbnail", "small"]),
        ((16, 16), ["thumbnail"]),
    ],
)
def test_of_presets_that_come_out_alike_the_smallest_counts(size: tuple[int, int], names: list[str]) -> None:
    assert [preset.name for preset in distinct(*size, Config().renditions.presets)] == names


def test_what_is_cut_off_is_known() -> None:
    assert shape(1080, 12_000, LARGE).shows_all
    assert not shape(1080, 12_000, THUMBNAIL).shows_all
    assert not shape(1080, 60_000, LARGE).shows_all
    assert is_tall(1080, 3241)
    assert not is_tall(1080, 3240)


def test_a_card_shows_the_top_of_a_tall_picture() -> None:
    image = Image("s", "chat.png", Facts("image/png", 1080, 12_000), 1, "a" * 64, 0, 1, "b" * 64)
    (card,) = previews(image, Config())
    assert (card.width, card.height) == (256, 256)
