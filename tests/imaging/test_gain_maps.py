"""High dynamic range stays: an Ultra HDR JPEG keeps a working gain map in every JPEG size from 512 px up."""

import functools

import pytest
import pyvips

from appliance.domain.renditions import Format
from appliance.imaging.gain_maps import MIN_SIDE_PX
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.workers import rendered, target

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZES = ("small", "medium", "large")
LIGHT = 4.0
ISO_MARK = b"urn:iso:std:iso:ts:21496:-1"


@functools.cache
def ultra_hdr() -> bytes:
    """A photograph of which the right half is shown up to four times as bright as white."""
    photo = pyvips.Image.new_from_buffer(pictures.camera_photo(), "").resize(0.8)
    ramp = pyvips.Image.identity(bands=1, ushort=False).resize(photo.width / 256, vscale=photo.height, kernel="linear")
    bright = (ramp > 127).ifthenelse(LIGHT, 1.0)
    light = (photo.colourspace("scrgb") * bright).cast("float").copy(interpretation="scrgb")
    return bytes(light.uhdrsave_buffer(Q=85, gainmap_scale_factor=4))


def highest(data: bytes) -> tuple[float, float]:
    """The most light of the left half and of the right one, white being 1, on a screen that can."""
    light = pyvips.Image.uhdrload_buffer(data).uhdr2scRGB()
    half = light.width // 2
    left, right = light.crop(0, 0, half - 24, light.height), light.crop(half + 24, 0, half - 24, light.height)
    return left.avg(), right.avg()


async def test_every_jpeg_size_from_512_px_up_has_a_working_gain_map(workers: Workers) -> None:
    left, right = highest(ultra_hdr())
    assert right > 2 * left
    for made in await rendered(workers, ultra_hdr(), *(target(name, Format.JPG) for name in SIZES)):
        assert max(made.width, made.height) >= MIN_SIDE_PX
        assert highest(made.data) == pytest.approx((left, right), rel=0.15)


async def test_other_screens_see_what_they_saw_without_a_gain_map(workers: Workers) -> None:
    """The map costs at most 12 % more bytes from 1024 px up."""
    without = pyvips.Image.new_from_buffer(ultra_hdr(), "").jpegsave_buffer(Q=98, keep="icc", subsample_mode="off")
    wanted = [target(name, Format.JPG) for name in SIZES]
    for made, plain in zip(
        await rendered(workers, ultra_hdr(), *wanted), await rendered(workers, without, *wanted), strict=True
    ):
        shown, other = (pyvips.Image.new_from_buffer(data, "") for data in (made.data, plain.data))
        assert shown.colourspace("lab").dE00(other.colourspace("lab")).avg() < 1
        if made.width >= 1024:
            assert len(made.data) <= 1.12 * len(plain.data)


async def test_a_size_made_from_a_size_keeps_the_gain_map(workers: Workers) -> None:
    (large,) = await rendered(workers, ultra_hdr(), target("large", Format.JPG))
    (small,) = await rendered(workers, large.data, target("small", Format.JPG))
    assert highest(small.data) == pytest.approx(highest(ultra_hdr()), rel=0.15)


async def test_thumbnails_and_other_formats_have_none(workers: Workers) -> None:
    for wanted in (target("thumbnail", Format.JPG), target("small", Format.WEBP)):
        (made,) = await rendered(workers, ultra_hdr(), wanted)
        assert ISO_MARK not in made.data


async def test_what_a_jpeg_is_made_from_is_recorded_with_it_however_small_it_is(workers: Workers) -> None:
    wanted = [target("thumbnail", Format.JPG), target("small", Format.JPG), target("small", Format.WEBP)]
    assert [made.has_gain_map for made in await rendered(workers, ultra_hdr(), *wanted)] == [True, True, False]
    assert not any(made.has_gain_map for made in await rendered(workers, pictures.photo(), *wanted))


async def test_a_turned_picture_has_its_map_turned_too(workers: Workers) -> None:
    """Turned by 90 degrees clockwise: what was right is below."""
    source = pyvips.Image.uhdrload_buffer(ultra_hdr()).copy()
    source.set_type(pyvips.GValue.gint_type, "orientation", 6)
    turned = bytes(source.uhdrsave_buffer(Q=85))
    (made,) = await rendered(workers, turned, target("small", Format.JPG))
    light = pyvips.Image.uhdrload_buffer(made.data).uhdr2scRGB()
    assert light.height > light.width
    half = light.height // 2
    above, below = light.crop(0, 0, light.width, half - 24), light.crop(0, half + 24, light.width, half - 24)
    assert below.avg() > 2 * above.avg()


async def test_a_size_with_a_gain_map_says_nothing_of_its_maker(workers: Workers) -> None:
    source = pyvips.Image.uhdrload_buffer(ultra_hdr()).copy()
    source.set_type(pyvips.GValue.gstr_type, "exif-ifd0-Artist", "Mona Private")
    told = bytes(source.uhdrsave_buffer(Q=85))
    assert b"Mona Private" in told
    (made,) = await rendered(workers, told, target("small", Format.JPG))
    assert ISO_MARK in made.data
    assert b"Mona" not in made.data


async def test_a_gain_map_that_can_not_be_read_costs_only_itself(workers: Workers) -> None:
    source = ultra_hdr()
    second = source.rindex(b"\xff\xd8\xff")
    broken = source[: second + 40] + bytes(len(source) - second - 40)
    (made,) = await rendered(workers, broken, target("small", Format.JPG))
    assert pyvips.Image.new_from_buffer(made.data, "").width == 512
