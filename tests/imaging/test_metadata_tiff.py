"""TIFF files: what is between their pixels goes, and no pixel changes."""

import random
import tempfile

import pytest
import pyvips
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from appliance.domain.model import KeepMetadata
from appliance.imaging import tiff
from tests.support.images import pictures
from tests.support.images.tiff_writer import Maker, long, short
from tests.support.metadata import applied, found_in

PROPERTY = settings(max_examples=150)
REDUCED = (254, 4, long(1))
SECRET = b"SECRET 48.2083 "


def after(data: bytes, keep: KeepMetadata = KeepMetadata.NOTHING, *, complete: bool = True) -> bytes:
    found = found_in(data, keep)
    assert found.complete is complete
    result = applied(data, found)
    assert found_in(result, keep).edits == ()
    return result


def pages(data: bytes) -> list[pyvips.Image]:
    count = pyvips.Image.new_from_buffer(data, "").get("n-pages")
    return [pyvips.Image.tiffload_buffer(data, page=number) for number in range(count)]


def test_a_thumbnail_of_another_shape_goes_with_its_pixels_and_the_page_behind_it_stays() -> None:
    maker = Maker()
    maker.page(maker.picture(64, 48, b"\x40"))
    maker.page(maker.picture(20, 48, SECRET, REDUCED))
    maker.page(maker.picture(64, 48, b"\x50"))
    left = after(maker.file())
    assert SECRET not in left
    assert [page.avg() for page in pages(left)] == [0x40, 0x50]


def test_a_directory_that_is_no_picture_goes() -> None:
    maker = Maker()
    maker.page(maker.picture(64, 48, b"\x40"))
    jpeg = pictures.saved(pictures.quarters(16, 16), "jpeg")
    maker.page(
        maker.directory([(0x0103, 3, short(6)), (0x0201, 4, long(maker.put(jpeg))), (0x0202, 4, long(len(jpeg)))])
    )
    left = after(maker.file())
    assert jpeg[:20] not in left
    assert len(pages(left)) == 1


@pytest.mark.parametrize("below", [False, True])
def test_the_levels_of_a_pyramid_stay(below: bool) -> None:
    picture = pyvips.Image.new_from_buffer(pictures.photo(800, 600), "")
    data = picture.tiffsave_buffer(tile=True, pyramid=True, subifd=below, compression="deflate", keep="none")
    left = applied(data, found_in(data, KeepMetadata.NOTHING))
    with tempfile.TemporaryFile() as file:
        file.write(left)
        file.flush()
        assert len(tiff.pages(file.fileno()).levels) >= 2
    options = {"subifd": 1} if below else {"page": 2}
    levels = [pyvips.Image.tiffload_buffer(one, **options).write_to_memory() for one in (data, left)]
    assert levels[0] == levels[1]


def test_a_sub_page_that_is_no_level_goes_and_the_others_stay() -> None:
    maker = Maker()
    level = maker.picture(32, 24, b"\x44", REDUCED)
    thumbnail = maker.picture(20, 24, SECRET, REDUCED)
    maker.page(maker.picture(64, 48, b"\x40", (330, 4, long(thumbnail, level))))
    left = after(maker.file())
    assert SECRET not in left
    assert pyvips.Image.tiffload_buffer(left, subifd=0).avg() == 0x44


def test_positions_of_maps_and_what_nobody_knows_go() -> None:
    maker = Maker()
    geo = (33922, 7, SECRET * 9), (34735, 3, short(*range(40))), (42112, 2, SECRET * 3), (65000, 7, SECRET * 3)
    maker.page(maker.picture(64, 48, b"\x40", *geo, (270, 2, SECRET), (305, 2, SECRET), (37724, 7, SECRET * 50)))
    left = after(maker.file() + SECRET * 99)
    assert SECRET not in left
    assert pages(left)[0].avg() == 0x40


def test_a_value_that_is_not_like_its_tag_goes() -> None:
    maker = Maker()
    maker.page(maker.picture(64, 48, b"\x40", (274, 2, SECRET), (254, 7, SECRET), (0x8298, 2, SECRET * 2000)))
    assert SECRET not in after(maker.file())


@pytest.mark.parametrize("compression", ["jpeg", "webp"])
@pytest.mark.parametrize("tile", [False, True])
def test_coded_strips_and_tiles_that_hold_nothing_else_are_clean(compression: str, tile: bool) -> None:
    picture = pyvips.Image.new_from_buffer(pictures.photo(400, 300), "")
    assert found_in(picture.tiffsave_buffer(compression=compression, tile=tile, keep="none")).complete


def test_a_strip_that_is_a_jpeg_with_metadata_is_not_called_clean() -> None:
    def page(jpeg: bytes) -> bytes:
        maker = Maker()
        entries = [(256, 3, short(64)), (257, 3, short(48)), (258, 3, short(8)), (259, 3, short(7)), (262, 3, short(1))]
        entries += [(277, 3, short(1)), (278, 3, short(48))]
        maker.page(maker.directory([*entries, (273, 4, long(maker.put(jpeg))), (279, 4, long(len(jpeg)))]))
        return maker.file()

    plain = pictures.saved(pictures.quarters(64, 48).convert("L"), "jpeg")
    assert found_in(page(plain)).complete
    assert not found_in(page(pictures.saved(pictures.quarters(64, 48).convert("L"), "jpeg", comment=SECRET))).complete


def test_content_credentials_go_and_are_named() -> None:
    maker = Maker()
    maker.page(maker.picture(64, 48, b"\x40", (0xCD41, 7, b"\0\0\0\x20jumb c2pa" + SECRET)))
    found = found_in(maker.file(), KeepMetadata.NOTHING)
    assert found.content_credentials
    assert SECRET not in applied(maker.file(), found)


def test_a_dng_keeps_what_its_colours_are_made_of() -> None:
    maker = Maker()
    matrix, serial = (50721, 5, long(*range(18))), (50735, 2, b"SERIAL-4711")
    maker.page(maker.picture(64, 48, b"\x40", (50706, 1, b"\1\4\0\0"), matrix, serial, (50708, 2, b"Some Camera")))
    left = after(maker.file())
    assert matrix[2] in left
    assert b"SERIAL" not in left
    assert b"Some Camera" not in left
    assert b"Some Camera" in after(maker.file(), KeepMetadata.CREDITS)


def test_where_the_pixels_place_is_in_doubt_only_values_go_and_it_is_said() -> None:
    maker = Maker()
    maker.page(maker.picture(64, 48, b"\x40", (270, 2, SECRET), counted=False))
    left = after(maker.file(), complete=False)
    assert SECRET not in left
    assert left[8 : 8 + 64 * 48] == b"\x40" * 64 * 48


def test_directories_that_go_in_circles_end() -> None:
    maker = Maker()
    page = maker.picture(64, 48, b"\x40", (270, 2, SECRET))
    maker.page(page)
    maker.page(page)
    assert SECRET not in applied(maker.file(), found_in(maker.file(), KeepMetadata.NOTHING))


@PROPERTY
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_damage_outside_of_its_pixels_never_costs_a_tiff_a_pixel(seed: int, hits: int) -> None:
    """The directory that readers follow says where pixels are: as long as it does, they stay to the byte."""
    choose, maker = random.Random(seed), Maker()
    exif = maker.directory([(0x9003, 2, b"2024:05:06 07:08:09\0"), (0x927C, 7, SECRET * 9)])
    more = (330, 4, long(maker.picture(32, 24, b"\x44", REDUCED))), (0x8769, 4, long(exif)), (700, 1, SECRET * 4)
    first = maker.picture(64, 48, b"\x40", *more)
    maker.page(first)
    data = bytearray(maker.file())
    for _ in range(hits):
        data[choose.randrange(8, len(data))] = choose.choice((0, 1, 4, 8, 0x7F, 0xFF, choose.randrange(256)))
    before = decoded(bytes(data))
    assume(before is not None)
    assert decoded(applied(bytes(data), found_in(bytes(data), KeepMetadata.NOTHING))) == before


def decoded(data: bytes) -> bytes | None:
    try:
        memory: bytes = pyvips.Image.tiffload_buffer(data, fail_on="error").write_to_memory()
    except pyvips.Error:
        return None
    return memory
