"""Tall pictures, as screenshots of chats: sizes by width, of which text can be read."""

import pytest
import pyvips
from PIL import Image, ImageDraw

from appliance.domain.renditions import MAX_HEIGHT_PX, Format
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.workers import rendered, target

pytestmark = pytest.mark.asyncio(loop_scope="session")

PRESETS = ("thumbnail", "small", "medium", "large")
BAND_PX = 500


def bands(width: int, height: int) -> Image.Image:
    """Bands of one grey each, so that each line says where it is from."""
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    for number, top in enumerate(range(0, height, BAND_PX)):
        draw.rectangle((0, top, width, top + BAND_PX), fill=(number * 10 % 250,) * 3)
    return picture


def band_at(data: bytes, y: int) -> float:
    image = pyvips.Image.new_from_buffer(data, "")
    return float(image(image.width // 2, y)[0])


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "webp", "turned"])
async def test_sizes_go_by_width_and_the_thumbnail_is_the_top(workers: Workers, kind: str) -> None:
    picture = bands(600, 4000)
    source = pictures.oriented_jpeg(6, picture) if kind == "turned" else pictures.saved(picture, kind)
    thumbnail, small, medium, large = await rendered(workers, source, *(target(name, Format.PNG) for name in PRESETS))
    assert (thumbnail.width, thumbnail.height) == (256, 256)
    assert (small.width, small.height) == (512, 3413)
    assert (medium.width, medium.height) == (large.width, large.height) == (600, 4000)
    for made in (small, medium):
        for number in range(8):
            middle = round((number + 0.5) * BAND_PX * made.width / 600)
            assert band_at(made.data, middle) == pytest.approx(number * 10, abs=3)
    assert band_at(thumbnail.data, 100) == pytest.approx(0, abs=3)
    assert band_at(thumbnail.data, 240) == pytest.approx(10, abs=3)


async def test_beyond_what_webp_holds_the_top_is_shown(workers: Workers) -> None:
    """The larger size ends earlier, so that the smaller one can't be made from it."""
    source = pictures.saved(bands(500, 25_000), "png")
    small, medium = await rendered(workers, source, target("small", Format.WEBP), target("medium", Format.JPG))
    assert (small.width, small.height) == (medium.width, medium.height) == (500, MAX_HEIGHT_PX)
    assert band_at(medium.data, 16_300) == pytest.approx(32 * 10 % 250, abs=3)
    wide, narrow = await rendered(
        workers, pictures.saved(bands(1000, 25_000), "png"), target("large", Format.JPG), target("small", Format.JPG)
    )
    assert (wide.height, narrow.width, narrow.height) == (MAX_HEIGHT_PX, 512, 12_800)
    assert band_at(narrow.data, 12_700) == pytest.approx(49 * 10 % 250, abs=3)


async def test_a_tall_animation_moves_by_width(workers: Workers) -> None:
    frames = [Image.new("RGB", (100, 400), (shade, 0, 0)) for shade in (40, 200)]
    source = pictures.saved(frames[0], "gif", save_all=True, append_images=frames[1:], duration=100)
    thumbnail, small = await rendered(workers, source, target("thumbnail", Format.WEBP), target("small", Format.GIF))
    assert (thumbnail.width, thumbnail.height, thumbnail.is_animated) == (100, 256, True)
    assert (small.width, small.height, small.is_animated) == (100, 400, True)
    assert len(pictures.frames(small.data)) == 2


async def test_an_animation_with_an_orientation_moves_upright(workers: Workers) -> None:
    frames = [pictures.quarters(60, 40).rotate(90, expand=True), Image.new("RGB", (40, 60), "white")]
    exif = Image.Exif()
    exif[0x0112] = 6
    source = pictures.saved(frames[0], "webp", save_all=True, append_images=frames[1:], duration=100, exif=exif)
    (made,) = await rendered(workers, source, target("small", Format.WEBP))
    assert (made.width, made.height, made.is_animated) == (60, 40, True)
    first = pictures.opened(made.data).convert("RGB")
    assert first.size == (60, 40)
    for place in ((10, 10), (50, 10), (10, 30), (50, 30)):
        wanted = pictures.quarters(60, 40).getpixel(place)
        assert first.getpixel(place) == pytest.approx(wanted, abs=12)
