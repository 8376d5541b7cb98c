"""Files of several pictures: the first is shown, `frames` tells how many; smaller copies of it are not counted."""

import asyncio
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from appliance.domain.renditions import Format
from appliance.imaging.tiff import MAX_DIRECTORIES, Pages, pages
from appliance.workers import Workers
from tests.support.images import giants, pictures
from tests.support.images.distance import distance
from tests.support.images.tiff_writer import Maker, long
from tests.support.programs import require
from tests.support.workers import ENDS, boxed, in_memory, inspected, outcome, rendered, target

pytestmark = pytest.mark.asyncio(loop_scope="session")


def pages_of(data: bytes) -> Pages:
    fd = in_memory(data)
    try:
        return pages(fd)
    finally:
        os.close(fd)


def pyramid(path: Path, *, subifd: bool = False, bigtiff: bool = False) -> bytes:
    giants.tiff(path, 4000, 3000, tile=True, pyramid=True, subifd=subifd, bigtiff=bigtiff)
    return path.read_bytes()


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("subifd", [False, True])
async def test_a_pyramid_is_one_picture_and_its_levels_are_known(tmp_path: Path, subifd: bool, bigtiff: bool) -> None:
    found = pages_of(pyramid(tmp_path / "a.tif", subifd=subifd, bigtiff=bigtiff))
    assert found.count == 1
    assert [level.width for level in found.levels][:3] == [2000, 1000, 500]
    assert [level.subifd for level in found.levels][:3] == ([0, 1, 2] if subifd else [-1, -1, -1])


@pytest.mark.parametrize("subifd", [False, True])
async def test_a_pyramid_looks_as_its_picture_does(workers: Workers, tmp_path: Path, subifd: bool) -> None:
    data = pyramid(tmp_path / "a.tif", subifd=subifd)
    assert (await inspected(workers, data)).frames == 1
    for made in await rendered(workers, data, boxed(100, Format.PNG), boxed(1024, Format.PNG)):
        whole = giants.mosaic(4000, 3000).resize(made.width / 4000, vscale=made.height / 3000)
        expected = Image.frombytes("RGB", (made.width, made.height), whole.write_to_memory())
        assert distance(pictures.opened(made.data), expected) < 6


async def test_sizes_are_made_from_the_nearest_level(workers: Workers) -> None:
    """Levels of other shades, which are said to be reduced, tell which was read."""
    maker = Maker()
    for level, side in enumerate((1600, 800, 400)):
        maker.page(maker.picture(side, side, bytes((level * 60,)), *[(254, 4, long(1))] * (level > 0)))
    data = maker.file()
    assert (await inspected(workers, data)).frames == 1
    for box_px, level in ((1400, 0), (500, 1), (256, 2)):
        (made,) = await rendered(workers, data, boxed(box_px, Format.PNG))
        assert pictures.opened(made.data).getpixel((5, 5)) == 60 * level


async def test_a_pyramid_that_was_cut_is_shown_from_its_whole_picture(workers: Workers, tmp_path: Path) -> None:
    data = bytearray(pyramid(tmp_path / "a.tif"))
    first = pages_of(bytes(data))
    assert first.levels
    directory = struct.unpack("<I", data[4:8])[0]
    entries = struct.unpack("<H", data[directory : directory + 2])[0]
    following = directory + 2 + 12 * entries
    level = struct.unpack("<I", data[following : following + 4])[0]
    data[following : following + 4] = struct.pack("<I", len(data) - 1)  # the next directory is not there
    assert level
    assert pages_of(bytes(data)) == Pages(1, first.block_lines, ())
    assert (await rendered(workers, bytes(data), boxed(256, Format.JPG)))[0].width == 256


async def test_pages_are_counted_and_masks_and_thumbnails_are_not() -> None:
    assert pages_of(pictures.tiff(pages=5)).count == 5
    assert pages_of(pictures.tiff(pages=5)).levels == ()


async def test_directories_that_point_at_each_other_end(workers: Workers) -> None:
    data = bytearray(pictures.tiff(pages=2))
    [first] = struct.unpack("<I", data[4:8])
    second = first + 2 + 12 * struct.unpack("<H", data[first : first + 2])[0]
    data[second : second + 4] = struct.pack("<I", first)
    assert pages_of(bytes(data)).count == 1
    assert (await inspected(workers, bytes(data))).frames == 1
    assert await rendered(workers, bytes(data), boxed(64, Format.JPG))


async def test_no_more_directories_are_read_than_a_bound() -> None:
    entry = struct.pack("<HHIHH", 256, 3, 1, 1, 0) + struct.pack("<HHIHH", 257, 3, 1, 1, 0)
    size = 2 + len(entry) + 4
    count = MAX_DIRECTORIES + 500
    chain = (struct.pack("<H", 2) + entry + struct.pack("<I", 8 + size * (at + 1)) for at in range(count))
    assert pages_of(b"II*\0" + struct.pack("<I", 8) + b"".join(chain)).count == MAX_DIRECTORIES


async def test_a_tiff_cut_anywhere_has_one_page_or_those_it_has(tmp_path: Path) -> None:
    data = pyramid(tmp_path / "a.tif", subifd=True, bigtiff=True)
    for length in range(8, len(data), len(data) // 200):
        assert pages_of(data[:length]).count >= 1


@pytest.mark.parametrize("format", ["avif"])
async def test_sequences_that_are_shown_as_stills_tell_their_frames(workers: Workers, format: str) -> None:
    frames = [pictures.quarters(64, 48), *(Image.new("RGB", (64, 48), (0, 0, 60 * at)) for at in range(4))]
    data = pictures.saved(frames[0], format, save_all=True, append_images=frames[1:], duration=100)
    facts = await inspected(workers, data)
    assert (facts.frames, facts.animated) == (5, False)
    (made,) = await rendered(workers, data, boxed(64, Format.JPG))
    assert distance(pictures.opened(made.data), frames[0]) < 12


async def test_pictures_of_a_heic_are_counted_and_the_first_is_shown(workers: Workers, tmp_path: Path) -> None:
    if not shutil.which("heif-enc"):
        require("heif-enc", "it makes the HEIC of several pictures; it comes with libheif-examples")
    pictures.quarters(640, 480).save(tmp_path / "0.png")
    for number in (1, 2):
        Image.new("RGB", (640, 480), pictures.BLUE).save(tmp_path / f"{number}.png")
    sources = [str(tmp_path / f"{number}.png") for number in range(3)]
    packing = await asyncio.create_subprocess_exec("heif-enc", "-o", str(tmp_path / "a.heic"), *sources)
    assert await packing.wait() == 0
    data = (tmp_path / "a.heic").read_bytes()
    assert (await inspected(workers, data)).frames == 3
    (made,) = await rendered(workers, data, boxed(640, Format.JPG))
    assert distance(pictures.opened(made.data), pictures.quarters(640, 480)) < 12


CUT: dict[str, Callable[[], bytes]] = {
    "png": lambda: pictures.saved(
        pictures.quarters(9, 9), "png", save_all=True, append_images=[Image.new("RGB", (9, 9))]
    ),
    "avif": lambda: pictures.saved(
        pictures.quarters(9, 9), "avif", save_all=True, append_images=[Image.new("RGB", (9, 9))]
    ),
}


@pytest.mark.parametrize("format", list(CUT))
async def test_sequences_cut_anywhere_are_survived(workers: Workers, format: str) -> None:
    data = CUT[format]()
    for length in range(12, len(data), 40):
        assert await outcome(workers, data[:length]) in ENDS


def _two_pages(second: Image.Image) -> bytes:
    """The quarters, and behind them a page of half their size that nothing is said of."""
    return pictures.saved(pictures.quarters(600, 400), "tiff", save_all=True, append_images=[second])


async def test_another_picture_of_half_the_size_is_a_page_of_its_own(workers: Workers) -> None:
    other = pictures.quarters(300, 200).transpose(Image.Transpose.ROTATE_180)
    source = _two_pages(other)
    assert (await inspected(workers, source)).frames == 2
    (made,) = await rendered(workers, source, target("thumbnail", Format.PNG))
    assert pictures.opened(made.data).getpixel((10, 10)) == pytest.approx(pictures.RED, abs=3)


async def test_the_same_picture_at_half_the_size_is_a_copy(workers: Workers) -> None:
    assert (await inspected(workers, _two_pages(pictures.quarters(300, 200)))).frames == 1


def _page_of_text(words: str, size: tuple[int, int]) -> Image.Image:
    page = Image.new("RGB", size, "white")
    scale = size[0] // 400
    for line in range(20):
        text = " ".join(words[line % 3 :] for _ in range(4))
        ImageDraw.Draw(page).text((30 * scale, (30 + 22 * line) * scale), text, fill="black", font_size=14 * scale)
    return page


@pytest.mark.parametrize(("words", "frames"), [("lorem ipsum", 1), ("dolor sit amet", 2)])
async def test_a_page_of_other_words_is_no_copy(workers: Workers, words: str, frames: int) -> None:
    """White as both are."""
    pages = [_page_of_text("lorem ipsum", (1600, 2200)), _page_of_text(words, (800, 1100))]
    source = pictures.saved(pages[0], "tiff", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    assert (await inspected(workers, source)).frames == frames
