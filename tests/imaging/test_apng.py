"""Animated PNG moves, as Pillow and browsers show it."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageDraw

from appliance.domain.errors import ApplianceError
from appliance.domain.renditions import Format
from appliance.imaging.profiles import Space, compact
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.images.distance import distance
from tests.support.images.png_writer import chunk, png_of
from tests.support.workers import inspected, rendered, target

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZE = 64, 48


def moving(frames: int = 3, **options: object) -> bytes:
    """A square that goes from left to right; Pillow writes what differs alone."""
    drawn = []
    for number in range(frames):
        picture = Image.new("RGBA", SIZE, (255, 255, 255, 255 if number % 2 else 0))
        ImageDraw.Draw(picture).rectangle((number * 20, 10, number * 20 + 15, 30), fill=(200, 40 * number, 30, 255))
        drawn.append(picture)
    return pictures.saved(drawn[0], "png", save_all=True, append_images=drawn[1:], duration=80, **options)


@pytest.mark.parametrize(("disposal", "blend"), [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)])
async def test_every_frame_is_what_pillow_shows(workers: Workers, disposal: int, blend: int) -> None:
    source = moving(disposal=disposal, blend=blend)
    facts = await inspected(workers, source)
    assert (facts.frames, facts.animated, facts.refusal) == (3, True, None)
    (made,) = await rendered(workers, source, target("small", Format.WEBP))
    assert made.is_animated
    assert Image.open(io.BytesIO(made.data)).info["loop"] == 0
    for ours, theirs in zip(pictures.frames(made.data), pictures.frames(source), strict=True):
        one, other = (Image.frombytes("RGBA", SIZE, data) for data in (ours, theirs))
        white = Image.new("RGBA", SIZE, "white")
        assert distance(Image.alpha_composite(white, one), Image.alpha_composite(white, other)) < 3


async def test_a_frame_that_is_taken_back_is_gone_from_the_next(workers: Workers) -> None:
    """As the specification has it; Pillow leaves it there where frames are blended."""
    (made,) = await rendered(workers, moving(disposal=2, blend=1), target("small", Format.WEBP))
    third = Image.frombytes("RGBA", SIZE, pictures.frames(made.data)[2])
    assert [third.getchannel("A").getpixel(place) for place in ((5, 20), (25, 20), (47, 20))] == [0, 0, 255]


async def test_other_formats_show_the_still_picture(workers: Workers) -> None:
    (made,) = await rendered(workers, moving(), target("small", Format.PNG))
    assert not made.is_animated
    assert pictures.opened(made.data).size == SIZE


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "LA"])
async def test_grey_and_palettes_move_too(workers: Workers, mode: str) -> None:
    frames = [Image.new("RGB", SIZE, (shade, shade, shade)).convert(mode) for shade in (40, 200)]
    source = pictures.saved(frames[0], "png", save_all=True, append_images=frames[1:], duration=80)
    (made,) = await rendered(workers, source, target("small", Format.GIF))
    assert made.is_animated
    for ours, theirs in zip(pictures.frames(made.data), pictures.frames(source), strict=True):
        one, other = (Image.frombytes("RGBA", SIZE, data) for data in (ours, theirs))
        assert distance(one, other) < 3


async def test_frames_of_16_bits_move_too(workers: Workers) -> None:
    header = struct.pack(">IIBBBBB", *SIZE, 16, 6, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), chunk(b"acTL", struct.pack(">II", 2, 0))]
    for number, shade in enumerate((0x4000, 0xC000)):
        control = struct.pack(">IIIIIHHBB", number, *SIZE, 0, 0, 1, 10, 0, 0)
        row = b"\0" + struct.pack(">4H", shade, shade, shade, 0xFFFF) * SIZE[0]
        pixels = zlib.compress(row * SIZE[1])
        data = chunk(b"fdAT", struct.pack(">I", 2) + pixels) if number else chunk(b"IDAT", pixels)
        chunks += [chunk(b"fcTL", control), data]
    (made,) = await rendered(workers, png_of(*chunks), target("small", Format.GIF))
    assert made.is_animated
    assert [frame[0] for frame in pictures.frames(made.data)] == pytest.approx([0x40, 0xC0], abs=3)


@pytest.mark.parametrize("at", [4, 8, 12, 16])  # width, height, left, top
async def test_a_frame_beside_its_canvas_leaves_the_still_picture(workers: Workers, at: int) -> None:
    source = bytearray(moving())
    place = source.rindex(b"fcTL") + 4
    source[place + at : place + at + 4] = b"\x7f\xff\xff\xff"
    source[place + 26 : place + 30] = struct.pack(">I", zlib.crc32(source[place - 4 : place + 26]))
    (made,) = await rendered(workers, bytes(source), target("small", Format.WEBP))
    assert not made.is_animated
    assert (made.width, made.height) == SIZE


async def test_an_animated_png_cut_anywhere_is_survived(workers: Workers) -> None:
    source = moving()
    for length in range(60, len(source), 37):
        try:
            facts = await inspected(workers, source[:length])
        except ApplianceError:
            continue
        if facts.refusal is None:
            (made,) = await rendered(workers, source[:length], target("small", Format.WEBP), facts=facts)
            assert (made.width, made.height) == SIZE


async def test_an_orientation_turns_every_frame(workers: Workers) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    source = moving(exif=exif.tobytes().removeprefix(b"Exif\0\0"))
    still, animated = await rendered(workers, source, target("small", Format.PNG), target("small", Format.WEBP))
    assert (still.width, still.height) == (animated.width, animated.height) == SIZE[::-1]
    assert animated.is_animated
    for ours, theirs in zip(pictures.frames(animated.data), pictures.frames(moving()), strict=True):
        upright = Image.frombytes("RGBA", SIZE, theirs).transpose(Image.Transpose.ROTATE_270)
        white = Image.new("RGBA", upright.size, "white")
        shown = Image.alpha_composite(white, Image.frombytes("RGBA", upright.size, ours))
        assert distance(shown, Image.alpha_composite(white, upright)) < 3


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("place", [(0, 0), (8, 4)])
@pytest.mark.parametrize("format", [Format.JPG, Format.PNG, Format.WEBP])
async def test_a_default_image_that_is_no_frame_is_not_shown(
    workers: Workers, format: Format, place: tuple[int, int], frames: int
) -> None:
    """Readers that don't know animated PNG show it; browsers do not."""
    source = hidden_default(place, frames)
    facts = await inspected(workers, source)
    assert (facts.frames, facts.animated) == (frames, frames > 1)
    (made,) = await rendered(workers, source, target("small", format))
    first = pictures.opened(made.data).convert("RGBA")
    assert first.getpixel((30, 30)) == pytest.approx((40, 160, 60, 255), abs=8)
    if format is not Format.JPG and place != (0, 0):
        assert first.getpixel((1, 1))[3] == 0  # type: ignore[index]


def hidden_default(place: tuple[int, int], count: int) -> bytes:
    """Red where the animation is green, with frames that begin at a place of the canvas."""
    left, top = place
    width, height = SIZE[0] - left, SIZE[1] - top
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *SIZE, 8, 2, 0, 0, 0))
    chunks = [header, chunk(b"acTL", struct.pack(">II", count, 0)), chunk(b"IDAT", _rows((200, 30, 30), *SIZE))]
    for number in range(count):
        control = struct.pack(">IIIIIHHBB", 2 * number, width, height, left, top, 1, 10, 0, 0)
        data = struct.pack(">I", 2 * number + 1) + _rows((40, 160, 60), width, height)
        chunks += [chunk(b"fcTL", control), chunk(b"fdAT", data)]
    return png_of(*chunks)


def _rows(colour: tuple[int, int, int], width: int, height: int) -> bytes:
    return zlib.compress((b"\0" + bytes(colour) * width) * height)


async def test_a_moving_webp_is_in_srgb(workers: Workers) -> None:
    """Chrome passes over its profile."""
    source = moving(icc_profile=compact(Space.P3))
    (made,) = await rendered(workers, source, target("small", Format.WEBP))
    assert made.is_animated
    assert "icc_profile" not in Image.open(io.BytesIO(made.data)).info
    first = Image.frombytes("RGBA", SIZE, pictures.frames(made.data)[0])
    assert first.getpixel((7, 20)) == pytest.approx((219, 0, 10, 255), abs=6)  # (200, 0, 30) in Display P3
