"""Regions as real workers cut them: the right pixels, from originals, renditions and pyramids."""

import os
import tempfile
from dataclasses import replace

import pytest
from PIL import Image, ImageChops, ImageOps

from appliance.domain.clients import Clients
from appliance.domain.errors import CannotResize
from appliance.domain.regions import Cut, Material, Quality, Region
from appliance.domain.renditions import Facts, Format, Priority
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.workers import in_memory

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORMATS_OF_LAYOUTS = {"jpeg": 1.5, "png": 0}


def cut(x: int, y: int, width: int, height: int, to: tuple[int, int] | None = None, **more: object) -> Cut:
    size = to or (width, height)
    wishes = {"mirrored": False, "degrees": 0, "quality": Quality.DEFAULT, "format": Format.PNG} | more
    return Cut(Region(x, y, width, height), *size, **wishes)  # type: ignore[arg-type]


async def cut_out(workers: Workers, data: bytes, *cuts: Cut, material: Material = Material.ORIGINAL) -> list[bytes]:
    fd = in_memory(data)
    try:
        facts = await workers.inspect(fd)
        async with workers.lease(facts, Priority.VIEW) as worker:
            return await worker.cut(fd, facts, material, cuts)
    finally:
        os.close(fd)


async def built(workers: Workers, data: bytes) -> tuple[Facts, bytes]:
    fd = in_memory(data)
    try:
        facts = await workers.inspect(fd)
        with tempfile.TemporaryFile() as output:
            async with workers.lease_for_pyramid(facts, Priority.PYRAMID, Clients()) as worker:
                await worker.build_pyramid(fd, output.fileno())
            output.seek(0)
            return facts, output.read()
    finally:
        os.close(fd)


async def from_pyramid(workers: Workers, facts: Facts, pyramid: bytes, *cuts: Cut) -> list[bytes]:
    fd = in_memory(pyramid)
    try:
        async with workers.lease(replace(facts, memory_bytes=0), Priority.VIEW) as worker:
            return await worker.cut(fd, facts, Material.PYRAMID, cuts)
    finally:
        os.close(fd)


def distance(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of all samples."""
    assert one.size == other.size
    histogram = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).histogram()
    return sum(count * (place % 256) for place, count in enumerate(histogram)) / (one.width * one.height * 3)


def expected(picture: Image.Image, wanted: Cut) -> Image.Image:
    region = wanted.region
    box = (region.x, region.y, region.x + region.width, region.y + region.height)
    part = picture.convert("RGB").crop(box)
    if part.size != (wanted.width, wanted.height):
        part = part.resize((wanted.width, wanted.height), Image.Resampling.LANCZOS)
    if wanted.mirrored:
        part = ImageOps.mirror(part)
    return part.rotate(-wanted.degrees, expand=True)


def detailed(width: int = 1300, height: int = 900) -> Image.Image:
    """Every part differs from every other."""
    return pictures.opened(pictures.photo(width, height)).convert("RGB")


@pytest.mark.parametrize(
    "wanted",
    [
        cut(0, 0, 1300, 900),
        cut(512, 512, 512, 388),
        cut(1299, 899, 1, 1),
        cut(0, 0, 1024, 900, (512, 450)),
        cut(3, 5, 1201, 601, (100, 50)),
        cut(0, 0, 1300, 900, (130, 300)),
        cut(100, 100, 300, 200, degrees=90),
        cut(100, 100, 300, 200, degrees=180, mirrored=True),
        cut(100, 100, 300, 200, (150, 100), degrees=270, mirrored=True),
    ],
    ids=lambda wanted: wanted.name,
)
@pytest.mark.parametrize("format", ["png", "jpeg"])
async def test_a_region_has_the_pixels_that_it_names(workers: Workers, wanted: Cut, format: str) -> None:
    picture = detailed()
    data = pictures.saved(picture, format, **({"quality": 95, "subsampling": 0} if format == "jpeg" else {}))
    (made,) = await cut_out(workers, data, wanted)
    result = pictures.opened(made)
    turned = wanted.degrees in (90, 270)
    assert result.size == ((wanted.height, wanted.width) if turned else (wanted.width, wanted.height))
    reference = expected(pictures.opened(data), wanted)
    exact = wanted.reduction == 1 and format == "png"
    assert distance(result, reference) <= (0 if exact else 2.5)


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_coordinates_are_those_of_the_upright_picture(workers: Workers, orientation: int) -> None:
    picture = detailed(640, 480)
    data = pictures.oriented_jpeg(orientation, picture)
    wanted = [cut(40, 30, 200, 100), cut(320, 240, 320, 240, (80, 60)), cut(0, 0, 640, 480, (160, 120))]
    facts, pyramid = await built(workers, data)
    assert (facts.width, facts.height) == (640, 480)
    straight = await cut_out(workers, data, *wanted)
    tiled = await from_pyramid(workers, facts, pyramid, *wanted)
    for one, made in zip(wanted * 2, straight + tiled, strict=True):
        assert distance(pictures.opened(made), expected(picture, one)) < 4, one.name


async def test_many_regions_of_one_picture_are_cut_from_one_decode_alike(workers: Workers) -> None:
    data = pictures.png(1300, 900)
    wanted = [cut(x, y, 100, 100) for x in range(0, 1200, 200) for y in range(0, 800, 100)]
    together = await cut_out(workers, data, *wanted)
    assert len(together) == len(wanted) > 32  # more than go into one order
    for one, made in zip(wanted, together, strict=True):
        assert distance(pictures.opened(made), expected(pictures.opened(data), one)) == 0


async def test_a_pyramid_gives_every_size_of_every_part(workers: Workers) -> None:
    picture = detailed(3001, 2003)
    facts, pyramid = await built(workers, pictures.saved(picture, "png"))
    wanted = [
        cut(512, 1024, 512, 512),
        cut(2560, 1536, 441, 467),
        cut(0, 0, 2048, 2003, (512, 501)),
        cut(2048, 1024, 953, 979, (477, 490)),
        cut(0, 0, 3001, 2003, (376, 251)),
        cut(0, 0, 3001, 2003, (7, 5)),
        cut(333, 777, 1000, 1000, (600, 333)),
        cut(10, 20, 700, 500, (350, 250), degrees=90, mirrored=True),
    ]
    for one, made in zip(wanted, await from_pyramid(workers, facts, pyramid, *wanted), strict=True):
        assert distance(pictures.opened(made), expected(picture, one)) < 4, one.name


async def test_a_pyramid_keeps_alpha_and_grey(workers: Workers) -> None:
    data = pictures.alpha_png(1200, 1100)
    facts, pyramid = await built(workers, data)
    (made,) = await from_pyramid(workers, facts, pyramid, cut(0, 0, 1200, 1100, (600, 550)))
    result = pictures.opened(made)
    assert result.mode == "RGBA"
    assert [result.getpixel(place)[3] for place in ((2, 2), (300, 275))] == [0, 255]  # type: ignore[index]
    facts, pyramid = await built(workers, pictures.grey_jpeg())
    (made,) = await from_pyramid(workers, facts, pyramid, cut(0, 0, 640, 480, (320, 240)))
    assert pictures.opened(made).size == (320, 240)


@pytest.mark.parametrize(
    "data",
    [
        pictures.p3_jpeg,
        pictures.cmyk_jpeg,
        pictures.png_16_bit,
        pictures.alpha_png_16_bit,
        pictures.palette_png,
        pictures.interlaced_png,
        pictures.tiff,
        pictures.webp,
        pictures.avif,
        lambda: pictures.animated("gif"),
        lambda: pictures.animated("webp"),
    ],
)
async def test_every_kind_of_picture_is_cut_and_tiled_alike(workers: Workers, data: object) -> None:
    original = data()  # type: ignore[operator]
    wanted = cut(10, 20, 200, 160, (100, 80))
    facts, pyramid = await built(workers, original)
    (straight,) = await cut_out(workers, original, wanted)
    (tiled,) = await from_pyramid(workers, facts, pyramid, wanted)
    one, other = pictures.opened(straight), pictures.opened(tiled)
    assert one.mode == other.mode
    assert distance(one, other) < 4


async def test_grey_and_bitonal(workers: Workers) -> None:
    gray, bitonal, alpha = await cut_out(
        workers,
        pictures.png(),
        cut(0, 0, 640, 480, quality=Quality.GRAY),
        cut(0, 0, 640, 480, quality=Quality.BITONAL),
        cut(0, 0, 640, 480, quality=Quality.BITONAL, format=Format.JPG),
    )
    assert pictures.opened(gray).mode == "L"
    assert {value for _, value in pictures.opened(bitonal).getcolors() or []} == {0, 255}
    assert pictures.opened(alpha).mode == "L"


async def test_a_region_too_large_to_hold_is_cut_all_the_same(workers: Workers) -> None:
    """A wide region of a picture with 16 bits a sample; here in this process, with a bound that is passed at once."""
    from appliance.imaging import regions

    data = pictures.saved(detailed(), "png")
    fd = in_memory(data)
    try:
        wanted = (cut(0, 0, 1300, 900, (650, 450)), cut(700, 500, 300, 300))
        made = regions.cut_all(fd, Facts("image/png", 1300, 900), Material.ORIGINAL, wanted, held_bytes=1000)
    finally:
        os.close(fd)
    for one, (size, file) in zip(wanted, made, strict=True):
        assert size == (one.width, one.height)
        assert distance(pictures.opened(file), expected(pictures.opened(data), one)) < 2.5


async def test_a_broken_pyramid_is_told_from_one_that_meets_a_deadline(workers: Workers) -> None:
    facts, pyramid = await built(workers, pictures.photo(1500, 1500))
    with pytest.raises(CannotResize) as caught:
        await from_pyramid(workers, facts, pyramid[:100], cut(0, 0, 512, 512))
    assert caught.value.final  # for the pyramid: whoever asked for it has it built anew


async def test_a_pyramid_that_would_take_too_much_memory_is_refused(workers: Workers) -> None:
    with pytest.raises(CannotResize, match="more memory"):
        workers.lease_for_pyramid(Facts("image/jpeg", 100_000, 100_000, memory_bytes=1), Priority.PYRAMID, Clients())
