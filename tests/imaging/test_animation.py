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
from tests.support.images.gif_writer import BACKGROUND, KEEP, PREVIOUS, Frame, gif
from tests.support.images.heif_writer import Item, coded_of, heic
from tests.support.images.png_writer import chunk
from tests.support.workers import boxed, inspected, rendered, target

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


async def test_a_canvas_that_frames_leave_open_is_see_through(workers: Workers) -> None:
    source = gif((40, 30), Frame((5, 5, 10, 10), 1, KEEP), Frame((20, 5, 10, 10), 1, KEEP))
    facts = await inspected(workers, source)
    assert (facts.width, facts.height, facts.frames, facts.has_alpha) == (40, 30, 2, True)
    still, moving = await rendered(workers, source, target("small", Format.PNG), target("small", Format.WEBP))
    alpha = pictures.opened(still.data).convert("RGBA").getchannel("A")
    assert [alpha.getpixel(place) for place in ((1, 1), (10, 10), (25, 10))] == [0, 255, 0]
    assert moving.is_animated
    assert len(pictures.frames(moving.data)) == 2


@pytest.mark.parametrize("cut", [0, 20], ids=["whole", "cut short"])
async def test_what_is_restored_to_background_is_see_through(workers: Workers, cut: int) -> None:
    """As browsers show it. libvips, and Pillow too, paint it in the background's colour."""
    source = gif(
        (40, 30), Frame((0, 0, 40, 30), 1, BACKGROUND), Frame((5, 5, 10, 10), 3, BACKGROUND), Frame((20, 5, 10, 10), 1)
    )
    source = source[: len(source) - cut]
    facts = await inspected(workers, source)
    assert (facts.frames, facts.animated, facts.has_alpha) == (3, True, True)
    (moving,) = await rendered(workers, source, target("small", Format.GIF))
    frames = [Image.frombytes("RGBA", (40, 30), data).getchannel("A") for data in pictures.frames(moving.data)]
    seen = [[alpha.getpixel(place) for place in ((1, 1), (10, 10))] for alpha in frames]
    assert seen == [[255, 255], [0, 255], [0, 0]]
    assert Image.open(io.BytesIO(moving.data)).info["duration"] == 100


async def test_what_a_frame_that_is_taken_back_had_hidden_is_see_through_after_it(workers: Workers) -> None:
    source = gif(
        (40, 30), Frame((0, 0, 40, 30), 1, BACKGROUND), Frame((0, 0, 40, 30), 3, PREVIOUS), Frame((0, 0, 9, 9), 1)
    )
    (moving,) = await rendered(workers, source, target("small", Format.GIF))
    third = Image.frombytes("RGBA", (40, 30), pictures.frames(moving.data)[2]).getchannel("A")
    assert [third.getpixel(place) for place in ((1, 1), (20, 20))] == [255, 0]


@pytest.mark.parametrize("cut", [0, 1, 12], ids=["whole", "without its end", "within the last frame"])
async def test_a_frame_that_the_next_one_hides_leaves_nothing_open(workers: Workers, cut: int) -> None:
    frames = [Frame((0, 0, 40, 30), colour, BACKGROUND) for colour in (1, 2, 3)]
    source = gif((40, 30), *frames)
    facts = await inspected(workers, source[: len(source) - cut])
    assert (facts.has_alpha, facts.frames) == (False, 3)


@pytest.mark.parametrize("control", [b"", struct.pack(">IIIIIHHBB", 0, 640, 480, 0, 0, 1, 10, 0, 0)])
async def test_a_png_that_claims_four_billion_frames_tells_those_it_has(workers: Workers, control: bytes) -> None:
    plain = pictures.png()
    claimed = chunk(b"acTL", b"\xff" * 8) + (chunk(b"fcTL", control) if control else b"")
    assert (await inspected(workers, plain[:33] + claimed + plain[33:])).frames == 1


async def test_an_exif_orientation_turns_no_heif(workers: Workers) -> None:
    """Phones and browsers go by irot alone; width, height and sizes agree."""
    coded = coded_of(pictures.heic())
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    items = [Item(b"hvc1", coded.data, coded.properties), Item(b"Exif", bytes(4) + block, refers=(b"cdsc", 1))]
    facts = await inspected(workers, heic(items))
    (made,) = await rendered(workers, heic(items), target("small", Format.PNG))
    assert (facts.width, facts.height) == (640, 480)
    assert (made.width, made.height) == (512, 384)
    assert distance(pictures.opened(made.data), pictures.quarters().resize((512, 384))) < 3
