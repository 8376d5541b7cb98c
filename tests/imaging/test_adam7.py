"""Half of an interlaced PNG: the very pixels, whatever the picture is like, and the whole file where that can't be."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import pyvips

from appliance.imaging import adam7
from appliance.renditions import Format
from appliance.workers import Workers
from tests import giants, pictures
from tests.imaging.conftest import boxed, inspected, rendered

KINDS: dict[str, Callable[[pyvips.Image], pyvips.Image]] = {
    "colours": lambda picture: picture,
    "grey": lambda picture: picture.colourspace("b-w"),
    "alpha": lambda picture: picture.bandjoin(100),
    "grey with alpha": lambda picture: picture.colourspace("b-w").bandjoin(100),
    "16 bits": lambda picture: (picture * 257).cast("ushort").copy(interpretation="rgb16"),
}


def saved(path: Path, picture: pyvips.Image, **options: object) -> pyvips.Image:
    """The picture as libvips reads it back, in even columns of even rows."""
    picture.pngsave(str(path), interlace=True, **options)
    whole = pyvips.Image.new_from_file(str(path))
    width, height = whole.width, whole.height
    return whole.embed(0, 0, width + width % 2, height + height % 2).subsample(2, 2).copy_memory()


def half_of(path: Path) -> pyvips.Image:
    fd = os.open(path, os.O_RDONLY)
    try:
        return adam7.half(fd)
    finally:
        os.close(fd)


def assert_same(one: pyvips.Image, other: pyvips.Image) -> None:
    for field in ("width", "height", "bands", "format", "interpretation"):
        assert getattr(one, field) == getattr(other, field), field
    assert (one - other).abs().max() == 0


@pytest.mark.parametrize("size", [(640, 480), (641, 481), (642, 483), (7, 9), (5, 5), (17, 300)])
@pytest.mark.parametrize("kind", list(KINDS))
def test_half_is_every_second_pixel_of_every_second_row(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    path = tmp_path / "interlaced.png"
    assert_same(saved(path, KINDS[kind](giants.mosaic(*size))), half_of(path))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_colours_of_a_palette_are_kept_however_few_bits_they_take(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "palette.png"
    assert_same(saved(path, giants.mosaic(131, 99), palette=True, bitdepth=bits), half_of(path))


@pytest.mark.parametrize("size", [(4, 100), (100, 4), (2, 2)])
def test_a_picture_without_all_of_the_passes_is_not_read_this_way(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "thin.png"
    saved(path, giants.mosaic(*size))
    with pytest.raises(adam7.NotThisWay):
        half_of(path)


def test_what_is_not_interlaced_is_not_read_this_way(tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    giants.mosaic(100, 100).pngsave(str(path))
    with pytest.raises(adam7.NotThisWay):
        half_of(path)


@pytest.mark.parametrize("spoil", ["cut", "changed", "no pixels", "a header of zeros"])
def test_a_damaged_file_ends_in_an_error_and_in_nothing_else(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "damaged.png"
    saved(path, giants.mosaic(300, 300))
    data = bytearray(path.read_bytes())
    match spoil:
        case "cut":
            del data[2000:]
        case "changed":
            data[1000:1100] = b"\xff" * 100
        case "no pixels":
            del data[33:]
        case _:
            data[16:29] = bytes(13)
    path.write_bytes(data)
    with pytest.raises((adam7.NotThisWay, pyvips.Error)):
        half_of(path)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("cut", [False, True])
async def test_a_size_made_from_half_looks_like_one_of_the_whole_and_a_cut_file_still_shows_what_it_has(
    workers: Workers, cut: bool
) -> None:
    data = pictures.interlaced_png()
    facts = await inspected(workers, data)
    (made,) = await rendered(workers, data[: len(data) * 9 // 10] if cut else data, boxed(100, Format.PNG))
    picture = pictures.opened(made.data).convert("RGB")
    whole = pictures.quarters().resize((100, 75)).convert("RGB")
    assert facts.progressive
    for corner in ((20, 15), (80, 15), (20, 60), (80, 60)):
        seen, real = picture.getpixel(corner), whole.getpixel(corner)
        assert isinstance(seen, tuple)
        assert isinstance(real, tuple)
        assert max(abs(one - other) for one, other in zip(seen, real, strict=True)) < 16
