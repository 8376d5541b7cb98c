"""Files that end too early say so, and have no sizes where nothing of their pixels can be decoded."""

import pytest
from PIL import Image

from appliance.domain import refusals
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.workers import inspected

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("share", [0.3, 0.6])
async def test_a_png_of_which_no_row_is_left_is_original_only(workers: Workers, share: float) -> None:
    """Its decoder gives black rows instead, without an error."""
    source = pictures.saved(pictures.quarters(800, 600), "png")
    facts = await inspected(workers, source[: round(len(source) * share)])
    assert (facts.incomplete, facts.refusal) == (True, refusals.CUT_SHORT)


async def test_a_png_of_which_rows_are_left_is_shown(workers: Workers) -> None:
    source = pictures.saved(pictures.opened(pictures.photo(1600, 1200)), "png")
    facts = await inspected(workers, source[: len(source) // 2])
    assert (facts.incomplete, facts.refusal) == (True, None)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 1])
async def test_a_gif_that_ends_within_its_pixels_is_incomplete(workers: Workers, share: float) -> None:
    """Its codes may hold the byte that ends a file anywhere."""
    picture: Image.Image = pictures.opened(pictures.photo(800, 600)).quantize(256)
    source = pictures.saved(picture, "gif")
    assert source[: len(source) // 2][-1024:].count(b"\x3b") > 0
    assert (await inspected(workers, source[: round(len(source) * share)])).incomplete is (share < 1)
    if share == 1:
        assert not (await inspected(workers, source + bytes(5000))).incomplete


@pytest.mark.parametrize(
    ("format_name", "mode", "end_of_header", "kept"),
    [
        *[("jpeg", mode, b"\xff\xda", 14) for mode in ("RGB", "L", "CMYK")],
        ("gif", "RGB", b"\x2c" + bytes(4), 40),
    ],
)
async def test_a_file_that_ends_before_its_first_pixel_is_original_only(
    workers: Workers, format_name: str, mode: str, end_of_header: bytes, kept: int
) -> None:
    """The decoders of both fill what is missing."""
    source = pictures.saved(pictures.quarters(800, 600).convert(mode), format_name)
    facts = await inspected(workers, source[: source.index(end_of_header) + kept])
    assert (facts.incomplete, facts.refusal) == (True, refusals.CUT_SHORT)


@pytest.mark.parametrize("colour", ["white", "black", "red"])
@pytest.mark.parametrize(("format_name", "end_bytes"), [("jpeg", 2), ("gif", 1)])
async def test_an_image_of_one_colour_that_lacks_its_end_mark_is_shown(
    workers: Workers, format_name: str, end_bytes: int, colour: str
) -> None:
    source = pictures.saved(Image.new("RGB", (300, 200), colour), format_name)
    facts = await inspected(workers, source[:-end_bytes])
    assert (facts.incomplete, facts.refusal) == (True, None)
