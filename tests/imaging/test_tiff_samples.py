"""TIFFs whose samples are no ordinary colours: measurements with numbers far out, bands of no meaning, YCbCr."""

import math
import struct
from collections.abc import Callable

import pytest
from PIL import Image

from appliance.domain import refusals
from appliance.domain.renditions import Format
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.images.tiff_writer import Entry, Maker, long, short
from tests.support.workers import inspected, rendered, target

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTH, HEIGHT = 64, 48
WHITE_IS_ZERO, RGB, CMYK, YCBCR = 0, 2, 5, 6
NOTHING = math.nan
PIXELS = [(x, y) for y in range(HEIGHT) for x in range(WIDTH)]


def tiff(pixels: bytes, bits: int, photometric: int, samples: int, *more: Entry, sample_format: int = 1) -> bytes:
    """One strip, not coded."""
    maker = Maker()
    entries: list[Entry] = [
        (256, 3, short(WIDTH)),
        (257, 3, short(HEIGHT)),
        (258, 3, short(*[bits] * samples)),
        (259, 3, short(1)),
        (262, 3, short(photometric)),
        (273, 4, long(maker.put(pixels))),
        (277, 3, short(samples)),
        (278, 3, short(HEIGHT)),
        (279, 4, long(len(pixels))),
        (339, 3, short(*[sample_format] * samples)),
        *more,
    ]
    maker.page(maker.directory(entries))
    return maker.file()


def floating(number: Callable[[int, int], float], *, bands: int = 1) -> bytes:
    """A number for each pixel, in every band."""
    data = struct.pack(f"<{bands * len(PIXELS)}f", *(number(x, y) for x, y in PIXELS for _ in range(bands)))
    return tiff(data, 32, RGB if bands == 3 else 1, bands, sample_format=3)


def constant(*samples: int) -> bytes:
    return bytes(samples) * len(PIXELS)


async def shown(workers: Workers, source: bytes) -> Image.Image:
    (made,) = await rendered(workers, source, target("small", Format.PNG))
    return pictures.opened(made.data)


@pytest.mark.parametrize("far", [1.02, 60, 3e38, math.inf, -3e38])
async def test_one_number_far_out_darkens_nothing(workers: Workers, far: float) -> None:
    """RGB is linear light, grey is stretched; both but for the outermost of a thousand."""
    light = await shown(workers, floating(lambda x, y: far if (x, y) == (0, 0) else x / 63, bands=3))
    assert [light.getpixel((x, 40)) for x in (16, 32)] == [(138,) * 3, (189,) * 3]
    grey = await shown(workers, floating(lambda x, y: far if (x, y) == (0, 0) else 280 + 20 * x / 63))
    assert [grey.getpixel((x, 40)) for x in (0, 32, 63)] == [0, 130, 255]


async def test_bright_colours_of_floating_point_are_white(workers: Workers) -> None:
    light = await shown(workers, floating(lambda x, y: 40 if x > 40 else 0.2140, bands=3))
    assert [light.getpixel((x, 20)) for x in (20, 60)] == [(128,) * 3, (255,) * 3]


@pytest.mark.parametrize(("least", "largest"), [(280, 300), (-50, -10)])
async def test_what_is_no_number_is_black_and_moves_nothing(workers: Workers, least: float, largest: float) -> None:
    grey = await shown(workers, floating(lambda x, y: NOTHING if x < 20 else least + (largest - least) * (x - 20) / 43))
    assert [grey.getpixel((x, 20)) for x in (5, 20, 63)] == [0, 0, 255]


@pytest.mark.parametrize(
    ("code", "bits", "sample_format", "number"),
    [
        *[("f", 32, 3, lambda x: x / 63), ("e", 16, 3, lambda x: x / 64), ("f", 32, 3, lambda x: 280 + x)],
        *[("h", 16, 2, lambda x: 99 * x - 3000), ("i", 32, 2, lambda x: 10_000 * x), ("b", 8, 2, lambda x: x - 31)],
        *[("B", 8, 1, lambda x: 4 * x), ("H", 16, 1, lambda x: 1040 * x), ("I", 32, 1, lambda x: 10_000 * x)],
    ],
)
async def test_grey_of_which_zero_is_white_is_no_negative(
    workers: Workers, code: str, bits: int, sample_format: int, number: Callable[[int], float]
) -> None:
    numbers = [number(x) if code in "ef" else round(number(x)) for x, _ in PIXELS]
    data = struct.pack(f"<{len(PIXELS)}{code}", *numbers)
    grey = await shown(workers, tiff(data, bits, WHITE_IS_ZERO, 1, sample_format=sample_format))
    assert [grey.getpixel((x, 20)) for x in (0, 32, 63)] == pytest.approx([255, 125, 0], abs=5)


@pytest.mark.parametrize("extra", [[(338, 3, short(0))], []], ids=["unspecified", "not said"])
@pytest.mark.parametrize(
    ("photometric", "samples", "mode"), [(1, (100,), "L"), (RGB, (200, 100, 50), "RGB"), (CMYK, (9, 8, 7, 6), "RGB")]
)
async def test_a_band_without_a_meaning_is_no_alpha(
    workers: Workers, photometric: int, samples: tuple[int, ...], mode: str, extra: list[Entry]
) -> None:
    source = tiff(constant(*samples, 0), 8, photometric, len(samples) + 1, *extra)
    without = tiff(constant(*samples), 8, photometric, len(samples))
    assert not (await inspected(workers, source)).has_alpha
    picture = await shown(workers, source)
    assert (picture.mode, picture.tobytes()) == (mode, (await shown(workers, without)).tobytes())


async def test_alpha_behind_another_band_is_alpha(workers: Workers) -> None:
    picture = await shown(workers, tiff(constant(200, 100, 50, 0, 128), 8, RGB, 5, (338, 3, short(0, 2))))
    assert picture.getpixel((9, 9)) == (200, 100, 50, 128)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg"])
async def test_ycbcr_is_shown_in_its_colours(workers: Workers, compression: str) -> None:
    drawn = Image.new("RGB", (WIDTH, HEIGHT), (240, 20, 10))
    picture = await shown(workers, pictures.saved(drawn.convert("YCbCr"), "tiff", compression=compression))
    assert picture.getpixel((9, 9)) == pytest.approx((240, 20, 10), abs=3)


async def test_ycbcr_of_video_is_shown_by_its_reference(workers: Workers) -> None:
    reference = (532, 5, long(16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1))
    picture = await shown(workers, tiff(constant(81, 90, 240), 8, YCBCR, 3, (530, 3, short(1, 1)), reference))
    assert picture.getpixel((9, 9)) == pytest.approx((255, 0, 0), abs=3)


@pytest.mark.parametrize(("photometric", "samples"), [(RGB, 3), (CMYK, 4)])
@pytest.mark.parametrize("bits", [1, 2, 4])
async def test_colours_of_few_bits_are_kept_as_originals(
    workers: Workers, bits: int, photometric: int, samples: int
) -> None:
    facts = await inspected(workers, tiff(constant(0x5A, 0xA5, 0x3C, 0x77), bits, photometric, samples))
    assert (facts.width, facts.height, facts.refusal) == (WIDTH, HEIGHT, refusals.UNDECODABLE)
