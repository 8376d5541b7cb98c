"""Colour is what the photographer saw: by what a file says of its colours, never by a profile's name."""

import struct

import pytest
import pyvips

from appliance.domain.regions import Cut, Material, Quality, Region
from appliance.domain.renditions import PLACEHOLDER, Format, Priority
from appliance.imaging.matrices import BT2020_XY, D65, P3_XY, SRGB_XY, Primaries
from appliance.imaging.profiles import (
    Space,
    compact,
    describe,
    gamma_curve,
    grey_profile,
    parametric_curve,
    rgb_profile,
)
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.images.heif_writer import Item, coded_of, heic
from tests.support.images.png_writer import chunk
from tests.support.images.private_pictures import box
from tests.support.workers import in_memory, inspected, rendered, target

pytestmark = pytest.mark.asyncio(loop_scope="session")

RED = (220, 30, 30)
P3_RED_IN_SRGB = (240, 0, 1)
"""The sample's red, on a screen of sRGB."""
CARRYING = [Format.JPG, Format.WEBP, Format.AVIF, Format.PNG]
PROPHOTO_XY = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))


def plain(*colour: int, profile: bytes = b"", width: int = 64) -> pyvips.Image:
    image = (pyvips.Image.black(width, 64, bands=len(colour)) + list(colour)).cast("uchar")
    image = image.copy(interpretation="srgb" if len(colour) >= 3 else "b-w")
    if profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image


def png(image: pyvips.Image, *chunks: bytes) -> bytes:
    """Without metadata but what stands in these chunks and the image's profile."""
    data = bytes(image.pngsave_buffer(keep="icc" if image.get_typeof("icc-profile-data") else "none"))
    return data[:33] + b"".join(chunks) + data[33:]


async def shown(workers: Workers, data: bytes, format: Format = Format.PNG) -> pyvips.Image:
    (made,) = await rendered(workers, data, target("small", format))
    return pyvips.Image.new_from_buffer(made.data, "")


def profile_of(image: pyvips.Image) -> bytes:
    return bytes(image.get("icc-profile-data")) if image.get_typeof("icc-profile-data") else b""


def on_an_srgb_screen(image: pyvips.Image) -> list[float]:
    """The colour in the middle."""
    if profile_of(image):
        image = image.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True)
    return list(image(image.width // 2, image.height // 2))


def lab(image: pyvips.Image) -> pyvips.Image:
    if not profile_of(image):
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", rgb_profile(SRGB_XY, D65, parametric_curve()))
    return image.icc_import(embedded=True, intent="relative", pcs="lab")


# --- what counts --------------------------------------------------------------------------------------------------


async def test_a_linear_profile_counts_whatever_its_name_says(workers: Workers) -> None:
    linear = rgb_profile(SRGB_XY, D65, gamma_curve(1.0), "sRGB IEC61966-2.1")
    image = await shown(workers, png(plain(127, 127, 127, profile=linear)))
    assert on_an_srgb_screen(image) == pytest.approx([187] * 3, abs=1)


async def test_a_profile_of_swapped_colorants_counts_whatever_its_name_says(workers: Workers) -> None:
    red, green, blue = SRGB_XY
    swapped = rgb_profile((green, blue, red), D65, parametric_curve(), "sRGB")
    image = await shown(workers, png(plain(30, 40, 220, profile=swapped)))
    assert on_an_srgb_screen(image) == pytest.approx([220, 30, 40], abs=1)


@pytest.mark.parametrize("format", list(Format))
async def test_cicp_in_png_counts(workers: Workers, format: Format) -> None:
    image = await shown(workers, png(plain(*RED), chunk(b"cICP", bytes((12, 13, 0, 1)))), format)
    assert on_an_srgb_screen(image)[:3] == pytest.approx(P3_RED_IN_SRGB, abs=3)


@pytest.mark.parametrize("primaries", [1, 2])
async def test_cicp_wins_over_a_profile_where_it_says_anything(workers: Workers, primaries: int) -> None:
    """1 are those of sRGB, 2 says that they are not known."""
    source = png(plain(*RED, profile=compact(Space.P3)), chunk(b"cICP", bytes((primaries, 13, 0, 1))))
    expected = RED if primaries == 1 else P3_RED_IN_SRGB
    assert on_an_srgb_screen(await shown(workers, source)) == pytest.approx(expected, abs=3)


async def test_cicp_of_grey_counts(workers: Workers) -> None:
    image = await shown(workers, png(plain(127), chunk(b"cICP", bytes((1, 8, 0, 1)))))
    assert (image.bands, image.avg()) == (1, pytest.approx(187, abs=1))


async def test_nclx_in_avif_counts(workers: Workers) -> None:
    source = bytes(plain(*RED).heifsave_buffer(compression="av1", lossless=True, keep="none"))
    told = source.replace(b"nclx\x00\x01\x00\x0d", b"nclx\x00\x0c\x00\x0d")
    assert told != source
    assert on_an_srgb_screen(await shown(workers, told)) == pytest.approx(P3_RED_IN_SRGB, abs=2)


async def test_nclx_in_heic_counts(workers: Workers) -> None:
    coded = coded_of(pictures.heic_of(png(plain(*RED)), "png"))
    nclx = box(b"colr", b"nclx" + struct.pack(">HHHB", 12, 13, 6, 0x80))
    source = heic([Item(b"hvc1", coded.data, [*coded.properties, nclx])])
    assert on_an_srgb_screen(await shown(workers, source)) == pytest.approx(P3_RED_IN_SRGB, abs=4)


async def test_gama_and_chrm_count_where_nothing_else_does(workers: Workers) -> None:
    linear = chunk(b"gAMA", struct.pack(">I", 100_000))
    assert on_an_srgb_screen(await shown(workers, png(plain(127, 127, 127), linear))) == pytest.approx([187] * 3, abs=1)
    srgb = chunk(b"sRGB", b"\0")
    assert on_an_srgb_screen(await shown(workers, png(plain(127, 127, 127), srgb, linear))) == [127] * 3
    places = [round(number * 100_000) for xy in (D65, *P3_XY) for number in xy]
    p3 = chunk(b"gAMA", struct.pack(">I", 45_455)) + chunk(b"cHRM", struct.pack(">8I", *places))
    assert on_an_srgb_screen(await shown(workers, png(plain(*RED), p3))) == pytest.approx(P3_RED_IN_SRGB, abs=4)


async def test_grey_with_gamma_stays_grey(workers: Workers) -> None:
    image = await shown(workers, png(plain(127), chunk(b"gAMA", struct.pack(">I", 100_000))))
    assert image.bands == 1
    assert image.avg() == pytest.approx(187, abs=1)


@pytest.mark.parametrize("bands", [1, 2])
async def test_grey_of_16_bits_is_managed_too(workers: Workers, bands: int) -> None:
    """By gAMA as by a profile; with alpha and without."""
    linear = chunk(b"gAMA", struct.pack(">I", 100_000))
    levels = [127 * 257, 0x8000][:bands]
    wide = (pyvips.Image.black(64, 64, bands=bands) + levels).cast("ushort").copy(interpretation="grey16")
    with_profile = wide.copy()
    with_profile.set_type(pyvips.GValue.blob_type, "icc-profile-data", grey_profile(gamma_curve(1.0)))
    for source in (png(wide, linear), png(with_profile), bytes(with_profile.tiffsave_buffer())):
        image = await shown(workers, source)
        assert image(32, 32) == pytest.approx([187, 128][:bands], abs=1)


@pytest.mark.parametrize("chrm", [bytes(32), b"\xff" * 32, struct.pack(">8I", *[30_000] * 8), b"short"])
async def test_chromaticities_that_no_colour_has_do_no_harm(workers: Workers, chrm: bytes) -> None:
    chunks = chunk(b"gAMA", struct.pack(">I", 45_455)) + chunk(b"cHRM", chrm)
    assert on_an_srgb_screen(await shown(workers, png(plain(127, 127, 127), chunks)))[0] == pytest.approx(127, abs=2)


# --- what stays ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", CARRYING)
@pytest.mark.parametrize("space", [Space.P3, Space.ADOBE])
async def test_display_p3_and_adobe_rgb_keep_their_gamut(workers: Workers, format: Format, space: Space) -> None:
    source = plain(*RED, profile=compact(space))
    image = await shown(workers, png(source), format)
    assert profile_of(image) == compact(space)
    assert lab(image).dE00(lab(source)).max() < 2


@pytest.mark.parametrize("primaries", [PROPHOTO_XY, BT2020_XY])
async def test_wider_spaces_become_display_p3(workers: Workers, primaries: Primaries) -> None:
    """A green that P3 has and sRGB has not."""
    source = plain(110, 200, 90, profile=rgb_profile(primaries, D65, gamma_curve(1.8)))
    image = await shown(workers, png(source))
    assert profile_of(image) == compact(Space.P3)
    assert lab(image).dE00(lab(source)).max() < 1


async def test_srgb_carries_no_profile_and_is_not_converted(workers: Workers) -> None:
    for name in ("sRGB", "a scanner's own words"):
        source = plain(*RED, profile=rgb_profile(SRGB_XY, D65, parametric_curve(), name))
        image = await shown(workers, png(source))
        assert (profile_of(image), image(9, 9)) == (b"", list(map(float, RED)))


async def test_gif_and_placeholder_are_srgb(workers: Workers) -> None:
    source = png(plain(*RED, profile=compact(Space.P3)))
    (placeholder,) = await rendered(workers, source, PLACEHOLDER)
    for image in (await shown(workers, source, Format.GIF), pyvips.Image.new_from_buffer(placeholder.data, "")):
        assert profile_of(image) == b""
        assert on_an_srgb_screen(image)[:3] == pytest.approx(P3_RED_IN_SRGB, abs=4)


@pytest.mark.parametrize(("quality", "wanted"), [(Quality.DEFAULT, P3_RED_IN_SRGB), (Quality.GRAY, (119,))])
async def test_a_region_has_the_colours_of_its_picture(
    workers: Workers, quality: Quality, wanted: tuple[int, ...]
) -> None:
    source = png(plain(*RED, profile=compact(Space.P3)))
    cut = Cut(Region(0, 0, 64, 64), 32, 32, False, 0, quality, Format.PNG)
    fd = in_memory(source)
    async with workers.lease(await inspected(workers, source), Priority.VIEW) as worker:
        (data,) = await worker.cut(fd, await workers.inspect(fd), Material.ORIGINAL, [cut])
    assert on_an_srgb_screen(pyvips.Image.new_from_buffer(data, "")) == pytest.approx(wanted, abs=6)


async def test_a_size_made_from_a_larger_one_has_its_colours(workers: Workers) -> None:
    source = png(plain(*RED, profile=compact(Space.P3), width=600))
    (large,) = await rendered(workers, source, target("large", Format.PNG))
    facts = await inspected(workers, source)
    (small,) = await rendered(workers, large.data, target("thumbnail", Format.PNG), facts=facts)
    assert on_an_srgb_screen(pyvips.Image.new_from_buffer(small.data, "")) == pytest.approx(P3_RED_IN_SRGB, abs=2)


# --- high dynamic range -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("transfer", "white"), [(16, 0.5807), (18, 0.75)])
async def test_high_dynamic_range_has_a_natural_look(workers: Workers, transfer: int, white: float) -> None:
    """A sheet of paper (203 cd/m²) is light, a tenth of its light is what it is on a screen, and highlights differ."""
    tenth = {16: 0.3655, 18: 0.3416}[transfer]
    codes = [tenth, white, 0.66 if transfer == 16 else 0.87, 0.75 if transfer == 16 else 1.0]
    strips = [(pyvips.Image.black(64, 64, bands=3) + code * 65_535).cast("ushort") for code in codes]
    image = pyvips.Image.arrayjoin(strips).copy(interpretation="rgb16")
    made = await shown(workers, png(image, chunk(b"cICP", bytes((9, transfer, 0, 1)))))
    dark, paper, bright, brightest = (made(x, 32)[1] for x in (32, 96, 160, 224))
    assert dark == pytest.approx(89, abs=8)
    assert 215 <= paper <= 240
    assert paper + 5 < bright < brightest
    assert brightest >= 250
    assert describe(profile_of(made)).space is Space.P3


@pytest.mark.parametrize("transfer", [16, 18])
async def test_high_dynamic_range_keeps_its_alpha(workers: Workers, transfer: int) -> None:
    image = (pyvips.Image.black(64, 64, bands=4) + 0x8000).cast("ushort").copy(interpretation="rgb16")
    made = await shown(workers, png(image, chunk(b"cICP", bytes((9, transfer, 0, 1)))))
    assert made.bands == 4
    assert made(32, 32)[3] == 0x80
