"""Animations: kept where the format can, the first frame elsewhere and over the budget."""

import io
import struct
from dataclasses import replace

import pytest
from PIL import Image

from appliance.domain.renditions import Format
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.images.distance import distance
from tests.support.workers import boxed, inspected, rendered

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("format", [Format.GIF, Format.WEBP])
@pytest.mark.parametrize("source_format", ["gif", "webp"])
async def test_every_frame_is_kept_with_its_timing(workers: Workers, source_format: str, format: Format) -> None:
    source = pictures.animated(source_format, frames=6)
    facts = await inspected(workers, source)
    assert (facts.frames, facts.animated, facts.width, facts.height) == (6, True, 320, 240)
    for rendition in await rendered(workers, source, boxed(160, format), boxed(64, format), boxed(999, format)):
        moving = Image.open(io.BytesIO(rendition.data))
        assert getattr(moving, "n_frames", 1) == 6
        assert moving.info["loop"] == 0
        original = Image.open(io.BytesIO(source))
        for number in range(6):
            original.seek(number)
            moving.seek(number)
            moving.load()
            assert moving.size == (rendition.width, rendition.height)
            assert moving.info["duration"] == 100
            assert distance(moving.convert("RGB"), original.convert("RGB").resize(moving.size)) < 8


async def test_many_pixels_of_frames_still_move(workers: Workers) -> None:
    """Beyond 100 MB libvips would decode into a file, which no worker may have."""
    source = pictures.animated("webp", frames=45, width=1000, height=1000)
    (made,) = await rendered(workers, source, boxed(64, Format.WEBP))
    assert getattr(Image.open(io.BytesIO(made.data)), "n_frames", 1) == 45


@pytest.mark.parametrize("format", [Format.JPG, Format.PNG, Format.AVIF])
async def test_formats_without_animation_show_the_first_frame(workers: Workers, format: Format) -> None:
    source = pictures.animated("gif")
    (made,) = await rendered(workers, source, boxed(160, format))
    picture = pictures.opened(made.data)
    assert getattr(picture, "n_frames", 1) == 1
    assert distance(picture, pictures.opened(source).convert("RGB").resize((160, 120))) < 6


async def test_an_animation_over_the_budget_shows_its_first_frame(workers: Workers) -> None:
    source = pictures.animated("gif", frames=1001, width=48, height=32)
    small, other = await rendered(workers, source, boxed(24, Format.WEBP), boxed(24, Format.JPG))
    assert getattr(Image.open(io.BytesIO(small.data)), "n_frames", 1) == 1
    assert (small.width, small.height) == (other.width, other.height) == (24, 16)


async def test_an_animation_that_breaks_off_still_shows_something(workers: Workers) -> None:
    source = pictures.animated("gif", frames=6)
    (made,) = await rendered(workers, source[: len(source) // 2], boxed(160, Format.WEBP))
    assert pictures.opened(made.data).size == (160, 120)


async def test_what_moves_is_told_with_each_rendition(workers: Workers) -> None:
    source = pictures.animated("gif", frames=6)
    made = await rendered(workers, source, boxed(160, Format.WEBP), boxed(160, Format.JPG), boxed(160, Format.GIF))
    assert [each.is_animated for each in made] == [True, False, True]


async def test_an_animation_that_was_found_unreadable_is_not_tried_again(workers: Workers) -> None:
    source = pictures.animated("gif", frames=6)
    facts = replace(await inspected(workers, source), still="broken")
    [made] = await rendered(workers, source, boxed(160, Format.WEBP), facts=facts)
    assert not made.is_animated
    assert getattr(Image.open(io.BytesIO(made.data)), "n_frames", 1) == 1


async def test_a_hundred_thousand_frames_of_a_pixel_show_the_first(workers: Workers) -> None:
    """Each costs a decoder far more than its pixel."""
    frame = b"\x2c" + struct.pack("<4H", 0, 0, 1, 1) + b"\0\x02\x02\x44\x01\0"
    source = b"GIF89a" + struct.pack("<2H", 1, 1) + b"\xf0\0\0\0\0\0\xff\xff\xff" + frame * 100_000 + b";"
    facts = await inspected(workers, source)
    assert facts.frames == 100_000
    [made] = await rendered(workers, source, boxed(64, Format.WEBP))
    assert (made.is_animated, made.width) == (False, 1)
