"""Interlaced PNGs: every size looks exactly as the same picture's without interlacing, however it is stored."""

from collections.abc import Callable

import pytest
import pyvips
from PIL import Image, ImageChops, ImageStat

from appliance.domain.errors import CannotResize
from appliance.domain.renditions import Format, Target
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.workers import PRESETS, boxed, inspected, rendered

pytestmark = pytest.mark.asyncio(loop_scope="session")
WIDTH, HEIGHT = 2750, 2101
"""More than four times as large as the two smaller presets."""


def dithered() -> pyvips.Image:
    """Grey made of black and white pixels in turn, and of none but white ones in every second column and row."""
    place = pyvips.Image.xyz(WIDTH, HEIGHT)
    across, down = place[0], place[1]
    fine = ((across + down) % 2) * 255
    coarse = (across % 2 == 0) & (down % 2 == 0)
    picture = (across < WIDTH // 2).ifthenelse(fine, coarse)
    return picture.cast("uchar").copy(interpretation="b-w")


KINDS: dict[str, Callable[[pyvips.Image], pyvips.Image]] = {
    "colours": lambda picture: picture,
    "grey": lambda picture: picture.colourspace("b-w"),
    "alpha": lambda picture: picture.bandjoin(100),
    "16 bits": lambda picture: (picture * 257).cast("ushort").copy(interpretation="rgb16"),
}


async def sizes(workers: Workers, picture: pyvips.Image, **options: object) -> list[Image.Image]:
    """The picture in every preset, each from a decode of its own, as views ask for them."""
    data = picture.pngsave_buffer(compression=1, filter="sub", **options)
    facts = await inspected(workers, data)
    assert facts.progressive == ("interlace" in options)
    made = [await rendered(workers, data, Target(preset, Format.PNG), facts=facts) for preset in PRESETS]
    return [pictures.opened(one.data) for [one] in made]


def largest_difference(one: Image.Image, other: Image.Image) -> float:
    """Of any sample, 0 to 255."""
    assert (one.mode, one.size) == (other.mode, other.size)
    return max(high for _, high in ImageStat.Stat(ImageChops.difference(one, other)).extrema)


async def assert_alike(workers: Workers, picture: pyvips.Image, **options: object) -> None:
    plain = await sizes(workers, picture, **options)
    interlaced = await sizes(workers, picture, interlace=True, **options)
    for preset, one, other in zip(PRESETS, plain, interlaced, strict=True):
        assert largest_difference(one, other) <= 1, preset.name


@pytest.mark.parametrize("kind", KINDS)
async def test_an_interlaced_picture_looks_as_its_plain_twin_in_every_size(workers: Workers, kind: str) -> None:
    await assert_alike(workers, KINDS[kind](pictures.photo_like(WIDTH, HEIGHT)))


async def test_so_does_a_dithered_one(workers: Workers) -> None:
    await assert_alike(workers, dithered())


@pytest.mark.parametrize("bits", [1, 8])
async def test_so_does_one_with_a_palette(workers: Workers, bits: int) -> None:
    await assert_alike(workers, pictures.photo_like(WIDTH // 2, HEIGHT // 2), palette=True, bitdepth=bits)


async def test_of_a_file_that_was_cut_no_size_is_made(workers: Workers) -> None:
    """The decoder gives all of an interlaced picture or nothing."""
    data = pictures.interlaced_png()
    with pytest.raises(CannotResize):
        await rendered(workers, data[: len(data) * 9 // 10], boxed(100, Format.PNG))
