"""What renditions look like: size, colours, alpha and orientation, for every format in and out."""

from collections.abc import Callable

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from appliance.domain.renditions import Format, Preset, fit
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.images.distance import distance
from tests.support.workers import PRESETS, boxed, inspected, rendered, target

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCES: dict[str, Callable[[], bytes]] = {
    "image/jpeg": lambda: pictures.saved(pictures.quarters(), "jpeg", quality=92),
    "image/png": pictures.png,
    "image/gif": lambda: pictures.saved(pictures.quarters(), "gif"),
    "image/webp": pictures.webp,
    "image/tiff": pictures.tiff,
    "image/avif": pictures.avif,
}
SAME_PICTURE: dict[str, Callable[[], bytes]] = {
    "cmyk": pictures.cmyk_jpeg,
    "display-p3": pictures.p3_jpeg,
    "16 bits": pictures.png_16_bit,
    "palette": pictures.palette_png,
    "interlaced": pictures.interlaced_png,
    "lossless webp": lambda: pictures.webp(lossless=True),
    "tiff in one strip": lambda: pictures.tiff(compression="tiff_adobe_deflate", tiffinfo={278: 480}),
    "tiff of several pages": lambda: pictures.tiff(3),
    "progressive": lambda: pictures.saved(pictures.quarters(), "jpeg", quality=92, progressive=True),
}


def quarters_at(size: tuple[int, int]) -> Image.Image:
    return pictures.quarters().resize(size, Image.Resampling.LANCZOS)


@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize("media_type", list(SOURCES))
async def test_every_format_becomes_every_format(workers: Workers, media_type: str, format: Format) -> None:
    source = SOURCES[media_type]()
    facts = await inspected(workers, source)
    assert (facts.media_type, facts.width, facts.height, facts.refusal) == (media_type, 640, 480, None)
    (made,) = await rendered(workers, source, boxed(200, format))
    picture = pictures.opened(made.data)
    assert Image.MIME[picture.format or ""] == format.media_type
    assert picture.size == (made.width, made.height) == (200, 150)
    assert distance(picture, quarters_at((200, 150))) < 6


@pytest.mark.parametrize(("box_px", "is_shared"), [(200, False), (640, True)])
async def test_in_a_large_avif_four_pixels_share_a_colour(workers: Workers, box_px: int, *, is_shared: bool) -> None:
    (made,) = await rendered(workers, pictures.photo(640, 480), boxed(box_px, Format.AVIF))
    coding = made.data[made.data.index(b"av1C") + 6]  # of AV1's configuration, the byte that tells subsampling
    assert bool(coding & 0b1100) == is_shared


async def test_where_nobody_waits_an_avif_is_smaller(workers: Workers) -> None:
    source, wanted = pictures.small_photo("coffee"), boxed(400, Format.AVIF)
    (soon,), (small,) = await rendered(workers, source, wanted), await rendered(workers, source, wanted, patient=True)
    assert len(small.data) < len(soon.data)
    assert distance(pictures.opened(small.data), pictures.opened(soon.data)) < 6


async def test_heic_becomes_a_rendition(workers: Workers) -> None:
    source = pictures.heic()
    facts = await inspected(workers, source)
    assert (facts.media_type, facts.width, facts.height) == ("image/heic", 640, 480)
    (made,) = await rendered(workers, source, boxed(200, Format.JPG))
    assert distance(pictures.opened(made.data), quarters_at((200, 150))) < 6


@pytest.mark.parametrize("oddity", list(SAME_PICTURE))
async def test_the_colours_stay_near(workers: Workers, oddity: str) -> None:
    (made,) = await rendered(workers, SAME_PICTURE[oddity](), boxed(200, Format.PNG))
    reference = quarters_at((200, 150))
    # The press can't print these colours: what CMYK gives back differs, but stays recognisable.
    assert distance(pictures.opened(made.data), reference) < (45 if oddity == "cmyk" else 6)


async def test_cmyk_is_not_inverted(workers: Workers) -> None:
    (made,) = await rendered(workers, pictures.cmyk_jpeg(), boxed(200, Format.JPG))
    picture = pictures.opened(made.data)
    for at, expected in (((40, 30), pictures.RED), ((160, 30), pictures.GREEN), ((40, 120), pictures.BLUE)):
        pixel = picture.getpixel(at)
        assert isinstance(pixel, tuple)
        assert pixel.index(max(pixel)) == expected.index(max(expected))


async def test_grey_stays_grey(workers: Workers) -> None:
    (made,) = await rendered(workers, pictures.grey_jpeg(), boxed(200, Format.JPG))
    picture = pictures.opened(made.data)
    assert picture.mode == "L"
    assert distance(picture, quarters_at((200, 150)).convert("L")) < 4


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_turned_photo_comes_out_upright(workers: Workers, orientation: int) -> None:
    source = pictures.oriented_jpeg(orientation)
    facts = await inspected(workers, source)
    assert (facts.width, facts.height) == (640, 480)
    for made in await rendered(workers, source, boxed(60, Format.JPG), boxed(200, Format.JPG), boxed(999, Format.JPG)):
        picture = pictures.opened(made.data)
        assert distance(picture, quarters_at((made.width, made.height))) < 6
        assert not picture.getexif()


@pytest.mark.parametrize("source", [pictures.alpha_png, pictures.alpha_png_16_bit])
async def test_what_is_transparent_is_white_on_jpeg(workers: Workers, source: Callable[[], bytes]) -> None:
    made = await rendered(workers, source(), boxed(200, Format.JPG), boxed(100, Format.JPG))
    for rendition in made:
        picture = pictures.opened(rendition.data)
        top = picture.crop((0, 0, picture.width, picture.height // 5))
        assert min(darkest for darkest, _ in ImageStat.Stat(top).extrema) > 245
        white = Image.new("RGBA", (640, 480), "white")
        reference = Image.alpha_composite(white, pictures.alpha_picture()).resize(
            picture.size, Image.Resampling.LANCZOS
        )
        assert distance(picture, reference) < 3


@pytest.mark.parametrize("format", [Format.PNG, Format.WEBP, Format.AVIF, Format.GIF])
async def test_alpha_is_kept_where_the_format_has_it(workers: Workers, format: Format) -> None:
    source = pictures.alpha_png()
    assert (await inspected(workers, source)).has_alpha
    (made,) = await rendered(workers, source, boxed(200, format))
    alpha = pictures.opened(made.data).convert("RGBA").getchannel("A")
    assert alpha.getpixel((2, 2)) == 0
    assert alpha.getpixel((100, 75)) == 255


async def test_the_edge_of_what_is_transparent_has_no_dark_fringe(workers: Workers) -> None:
    (made,) = await rendered(workers, pictures.alpha_png(), boxed(100, Format.PNG))
    picture = pictures.opened(made.data)
    edge = [picture.getpixel((x, y)) for x in range(100) for y in range(75)]
    reds = [pixel[0] for pixel in edge if isinstance(pixel, tuple) and 60 < pixel[3] < 255]
    assert reds
    assert min(reds) > pictures.RED[0] - 12


@pytest.mark.parametrize("size", [(2725, 2225), (640, 480), (33, 1000), (1000, 7)])
async def test_the_sizes_are_those_that_fit_says(workers: Workers, size: tuple[int, int]) -> None:
    source = pictures.photo(*size)
    wanted = [target(preset.name, format) for preset in PRESETS for format in (Format.JPG, Format.WEBP)]
    for rendition in await rendered(workers, source, *wanted):
        expected = fit(*size, rendition.target.preset)
        assert pictures.opened(rendition.data).size == (rendition.width, rendition.height) == expected


async def test_nothing_is_enlarged(workers: Workers) -> None:
    made = await rendered(workers, pictures.small_photo("chelsea"), *(target(p.name, Format.JPG) for p in PRESETS))
    assert [(each.width, each.height) for each in made] == [(256, 170), *[(451, 300)] * 4]


@pytest.mark.parametrize("format", list(Format))
async def test_one_pixel_stays_one_pixel(workers: Workers, format: Format) -> None:
    (made,) = await rendered(workers, pictures.one_pixel(), boxed(256, format))
    assert pictures.opened(made.data).size == (1, 1)


@pytest.mark.parametrize("source_format", ["png", "jpeg"])
async def test_a_thread_of_pixels_keeps_its_width(workers: Workers, source_format: str) -> None:
    made = await rendered(workers, pictures.thread_of_pixels(source_format), *(target("thumbnail", f) for f in Format))
    assert all(pictures.opened(each.data).size == (1, 256) for each in made)


async def test_one_decode_gives_what_single_decodes_give(workers: Workers) -> None:
    source = pictures.camera_photo()
    together = await rendered(workers, source, *(target(preset.name, Format.PNG) for preset in PRESETS))
    for made in together:
        (alone,) = await rendered(workers, source, made.target)
        assert distance(pictures.opened(made.data), pictures.opened(alone.data)) < 2


async def test_a_rendition_is_made_from_a_larger_one_at_the_originals_sizes(workers: Workers) -> None:
    source = pictures.photo(2725, 2225)
    facts = await inspected(workers, source)
    (large,) = await rendered(workers, source, target("large", Format.JPG))
    (small,) = await rendered(workers, large.data, target("small", Format.WEBP), facts=facts)
    assert (small.width, small.height) == fit(2725, 2225, Preset("small", 512))


async def test_renditions_carry_no_metadata(workers: Workers) -> None:
    made = await rendered(workers, pictures.jpeg_with_gps(), *(boxed(200, format) for format in Format))
    for rendition in made:
        picture = pictures.opened(rendition.data)
        assert not picture.getexif()
        assert b"A Camera" not in rendition.data
        assert "icc_profile" not in picture.info


async def test_a_photograph_stays_itself(workers: Workers) -> None:
    for name in ("astronaut", "coffee", "chelsea"):
        original = pictures.opened(pictures.small_photo(name))
        for rendition in await rendered(workers, pictures.small_photo(name), *(boxed(200, f) for f in Format)):
            size = (rendition.width, rendition.height)
            reference = original.resize(size, Image.Resampling.LANCZOS)
            assert distance(pictures.opened(rendition.data), reference) < (
                9 if rendition.target.format is Format.GIF else 6
            )


@pytest.mark.parametrize("box_px", [1000, 500, 250])
async def test_nothing_moves_where_a_decoder_halves_an_odd_number_of_pixels(workers: Workers, box_px: int) -> None:
    disc = Image.new("L", (2725, 2225), 255)
    ImageDraw.Draw(disc).circle((2600, 2100), 90, fill=0)
    (made,) = await rendered(workers, pictures.saved(disc, "jpeg", quality=95), boxed(box_px, Format.PNG))
    picture = ImageChops.invert(pictures.opened(made.data).convert("L"))
    x, y = centre(picture)
    assert abs(x - 2600.5 * made.width / 2725) < 0.05
    assert abs(y - 2100.5 * made.height / 2225) < 0.05


def centre(picture: Image.Image) -> tuple[float, float]:
    """Of what is light, in pixels from the corner; what is nearly black does not count."""
    light = picture.point(lambda value: value if value > 20 else 0)
    weights = [(value, at % light.width, at // light.width) for at, value in enumerate(light.tobytes()) if value]
    whole = sum(value for value, _, _ in weights)
    return (
        sum(value * (x + 0.5) for value, x, _ in weights) / whole,
        sum(value * (y + 0.5) for value, _, y in weights) / whole,
    )


async def test_a_gif_of_a_faint_image_is_not_empty(workers: Workers) -> None:
    """GIF draws a pixel whole or not at all; where none would be left, all are on white."""
    faint = pictures.saved(Image.new("RGBA", (64, 48), (200, 30, 30, 100)), "png")
    (made,) = await rendered(workers, faint, target("small", Format.GIF))
    assert pictures.opened(made.data).convert("RGBA").getpixel((9, 9)) == pytest.approx((233, 167, 167, 255), abs=4)
