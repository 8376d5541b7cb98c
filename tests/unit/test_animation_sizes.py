"""Which sizes of an animation move."""

import pytest

from appliance.config.model import Config, Renditions
from appliance.domain.animation import keeps_animation
from appliance.domain.model import Image
from appliance.domain.renditions import Facts, Format, Preset, Target
from appliance.http import first_frames
from appliance.http.localization.languages import ENGLISH
from tests.support.rows import image

SIZES = Renditions()
BUDGET = SIZES.animation_budget


def target(box_px: int, format: Format = Format.WEBP) -> Target:
    return Target(Preset("box", box_px), format)


def gif(frames: int, width: int, height: int, still: str | None = None) -> Image:
    return image(media_type="image/gif", frames=frames, width=width, height=height, still=still)


def test_still_formats_and_single_frames_never_move() -> None:
    assert keeps_animation(Facts("image/gif", 100, 100, frames=2), target(64), BUDGET)
    assert not keeps_animation(Facts("image/gif", 100, 100, frames=1), target(64), BUDGET)
    assert not keeps_animation(Facts("image/tiff", 100, 100, frames=2), target(64), BUDGET)
    assert not keeps_animation(Facts("image/gif", 100, 100, frames=2), target(64, Format.AVIF), BUDGET)
    assert not keeps_animation(
        Facts("image/gif", 100, 100, frames=2, still="its frames have no fixed size"), target(64), BUDGET
    )


def test_frames_pixels_and_the_pixels_of_the_original_are_bounded() -> None:
    assert keeps_animation(Facts("image/gif", 10, 10, frames=BUDGET.max_frames), target(64), BUDGET)
    assert not keeps_animation(Facts("image/gif", 10, 10, frames=BUDGET.max_frames + 1), target(64), BUDGET)
    long = Facts("image/gif", 800, 600, frames=300)  # 144 million pixels
    assert keeps_animation(long, target(512), BUDGET)
    assert not keeps_animation(long, target(1024), BUDGET)
    assert not keeps_animation(Facts("image/gif", 1920, 1080, frames=300), target(64), BUDGET)


def test_a_gif_costs_five_times_as_much_to_write() -> None:
    facts = Facts("image/gif", 500, 500, frames=100)
    assert keeps_animation(facts, target(500), BUDGET)
    assert not keeps_animation(facts, target(500, Format.GIF), BUDGET)


def test_what_is_over_the_budget_is_told_with_the_limits() -> None:
    detail = first_frames.explanation(gif(300, 800, 600), SIZES)
    assert detail is not None
    assert "only the first frame: medium, medium-large, large." in detail
    assert "300 frames of 800 × 600 pixels" in detail
    assert "1,000 frames" in detail
    assert "75,000,000 pixels" in detail
    assert [preset.name for preset in first_frames.animated_presets(gif(300, 800, 600), SIZES)] == [
        "thumbnail",
        "small",
    ]


@pytest.mark.parametrize(
    ("shown", "note"),
    [
        (gif(1, 800, 600), None),
        (gif(50, 800, 600), None),
        (gif(300, 800, 600), "Larger sizes show only the first frame. The original is animated."),
        (gif(3000, 80, 60), "The sizes show only the first frame of the animation. The original is animated."),
        (
            gif(50, 80, 60, still="why"),
            "The sizes show only the first frame of the animation. The original is animated.",
        ),
        (image(media_type="image/tiff", frames=3), "The file contains 3 images. The first one is shown."),
    ],
)
def test_a_person_is_told_in_a_few_words(shown: Image, note: str | None) -> None:
    assert first_frames.short_note(shown, Config().renditions, ENGLISH) == note
