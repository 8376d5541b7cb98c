"""Pictures of extreme size and shape, end to end through a worker: shown, or refused in words."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pyvips

from appliance.config.model import GB
from appliance.domain.renditions import MAX_HEIGHT_PX, Facts, Format, Priority, RenderedFile
from appliance.workers import Workers
from tests.support.images import giants, pictures
from tests.support.images.heif_writer import coded_of, grid
from tests.support.workers import MAX_PIXELS, SETTINGS, boxed, goes_on, inspected, rendered

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRIPS: dict[str, Callable[[Path], None]] = {
    "high png": lambda path: giants.png(path, 1, 400_000),
    "wide png": lambda path: giants.png(path, 400_000, 20),
    "high tiff": lambda path: giants.tiff(path, 3, 400_000, compression="deflate"),
    "wide tiff": lambda path: giants.tiff(path, 400_000, 3, compression="deflate"),
    "high jpeg": lambda path: giants.jpeg(path, 16, 65_500),
    "wide jpeg": lambda path: giants.jpeg(path, 65_500, 16),
}


async def made_of(workers: Workers, path: Path, *boxes: int) -> tuple[Facts, list[RenderedFile]]:
    with path.open("rb") as file:
        facts = await workers.inspect(file.fileno())
        async with workers.lease(facts, Priority.VIEW) as worker:
            return facts, await worker.render(file.fileno(), facts, [boxed(box, Format.JPG) for box in boxes])


@pytest.mark.parametrize("name", list(STRIPS))
async def test_a_strip_is_never_thinner_than_a_pixel_nor_higher_than_webp_can_be(
    workers: Workers, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "strip"
    await asyncio.to_thread(STRIPS[name], path)
    facts, made = await made_of(workers, path, 2048, 256)
    assert facts.refusal is None
    longest = [MAX_HEIGHT_PX, MAX_HEIGHT_PX] if name.startswith("high") else [2048, 256]
    assert [max(each.width, each.height) for each in made] == longest
    assert min(made[1].width, made[1].height) >= 1
    for each in made:
        assert pictures.opened(each.data).size == (each.width, each.height)
    await goes_on(workers)


async def test_what_is_too_wide_for_the_memory_is_refused_in_words(workers: Workers, tmp_path: Path) -> None:
    path = tmp_path / "wide.tif"
    row = pyvips.Image.black(1_000_000, 999, bands=3).copy(interpretation="srgb")
    row.tiffsave(str(path), compression="deflate")
    facts = await inspected(workers, path.read_bytes())
    assert facts.refusal is not None
    assert "MB of memory, but this host allows" in facts.refusal


async def test_pixels_over_the_limit_are_refused_with_both_figures(workers: Workers, tmp_path: Path) -> None:
    path = tmp_path / "vast.png"
    pyvips.Image.black(32_000, 32_000).pngsave(str(path), compression=9)
    facts = await inspected(workers, path.read_bytes())
    assert facts.refusal == "It has 1,024,000,000 pixels. This host resizes images of up to 1,000,000,000 pixels."


@pytest.mark.long
async def test_a_phones_photograph_of_200_megapixels_is_shown() -> None:
    tile = coded_of(pictures.heic(pictures.quarters(512, 512)))
    data = grid(tile, columns=32, rows=24, width=16_320, height=12_240)
    workers = Workers(replace(SETTINGS, heavy_memory_bytes=4 * GB), MAX_PIXELS)
    await workers.start()
    try:
        (made,) = await rendered(workers, data, boxed(2048, Format.JPG))
    finally:
        await workers.stop()
    assert (made.width, made.height) == (2048, 1536)


@pytest.mark.parametrize("orientation", [6, 8])
async def test_a_turned_giant_is_upright(workers: Workers, tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "turned.tif"
    stored = giants.mosaic(6000, 2000).copy()
    stored.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    stored.tiffsave(str(path), compression="jpeg", tile=True, pyramid=True)
    facts, made = await made_of(workers, path, 600)
    assert (facts.width, facts.height, facts.frames) == (2000, 6000, 1)
    expected = giants.mosaic(6000, 2000).resize(0.1).rot("d90" if orientation == 6 else "d270")
    shown = pyvips.Image.new_from_buffer(made[0].data, "")
    assert (shown.width, shown.height) == (200, 600)
    assert (shown - expected).abs().avg() < 8


@pytest.mark.parametrize("samples", ["ushort", "float", "cmyk"])
async def test_deep_and_printed_giants_keep_their_colours(workers: Workers, tmp_path: Path, samples: str) -> None:
    path = tmp_path / "deep.tif"
    cmyk = samples == "cmyk"
    giants.tiff(path, 4000, 3000, samples="uchar" if cmyk else samples, cmyk=cmyk)
    _, [made] = await made_of(workers, path, 400)
    shown = pyvips.Image.new_from_buffer(made.data, "")
    assert (shown.width, shown.height, shown.bands) == (400, 300, 3)
    if not cmyk:
        assert (shown - giants.mosaic(4000, 3000).resize(0.1)).abs().avg() < 8
