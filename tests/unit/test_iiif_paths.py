"""How IIIF addresses read, with the examples of the specification's section 4 (an image of 300 x 200) and beyond."""

import pytest

from appliance.domain.errors import InvalidImageRequest, UnsupportedImageRequest
from appliance.domain.model import Image
from appliance.domain.regions import Cut, Quality, Region, scale_factors
from appliance.domain.renditions import Facts, Format
from appliance.http.iiif.paths import canonical_path, formats_of, parse_region_request

MAX_AREA = 1_000_000


def image(width: int = 300, height: int = 200) -> Image:
    return Image("0" * 17, "a.jpg", Facts("image/jpeg", width, height), 1, "0" * 64, 0, 1, "")


def cut(
    region: str = "full",
    size: str = "max",
    rotation: str = "0",
    last: str = "default.jpg",
    *,
    of: Image | None = None,
    max_area: int = MAX_AREA,
) -> Cut:
    return parse_region_request(of or image(), (region, size, rotation, last), tuple(Format), max_area)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("full", Region(0, 0, 300, 200)),
        ("square", Region(50, 0, 200, 200)),
        ("125,15,120,140", Region(125, 15, 120, 140)),
        ("125,15,200,200", Region(125, 15, 175, 185)),
        ("pct:41.6,7.5,40,70", Region(125, 15, 120, 140)),
        ("pct:41.6,7.5,66.6,100", Region(125, 15, 175, 185)),
        ("pct:0,0,1000,99999", Region(0, 0, 300, 200)),
        ("0,0,9999999999,9999999999", Region(0, 0, 300, 200)),
        ("299,199,1,1", Region(299, 199, 1, 1)),
    ],
)
def test_regions(text: str, region: Region) -> None:
    assert cut(text).region == region


@pytest.mark.parametrize(
    "text",
    [
        "0,0,0,10",
        "0,0,10,0",
        "300,0,10,10",
        "0,200,10,10",
        "9999999999,0,1,1",
        "pct:100,0,10,10",
        "pct:0,0,0,50",
        "pct:0,0,0.01,50",
        "-1,0,10,10",
        "1,2,3",
        "1,2,3,4,5",
        "1.5,0,10,10",
        "pct:-1,0,10,10",
        "pct:1e1,0,10,10",
        "pct:1,2,3",
        "Full",
        ",",
        ",,,",
        "٣,٣,٣,٣",
        "0,0,99999999999,1",
        "pct:nan,0,10,10",
        "0x1,0,1,1",
    ],
)
def test_regions_that_are_none(text: str) -> None:
    with pytest.raises(InvalidImageRequest):
        cut(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("max", (300, 200)),
        ("150,", (150, 100)),
        (",150", (225, 150)),
        ("pct:50", (150, 100)),
        ("pct:100", (300, 200)),
        ("225,100", (225, 100)),
        ("!225,100", (150, 100)),
        ("!2000,3000", (300, 200)),  # no larger than the region, and no error
        ("!300,1", (1, 1)),
        ("^150,", (150, 100)),  # nothing is enlarged by these
        ("^,200", (300, 200)),
        ("^!225,100", (150, 100)),
        ("^pct:50", (150, 100)),
    ],
)
def test_sizes(text: str, size: tuple[int, int]) -> None:
    made = cut(size=text)
    assert (made.width, made.height) == size


@pytest.mark.parametrize(
    "text",
    [
        "full",
        "301,",
        ",201",
        "301,200",
        "300,201",
        "pct:101",
        "pct:200",
        "0,",
        ",0",
        "0,0",
        "!0,0",
        "!0,10",
        "pct:0",
        "pct:0.01",
        ",",
        "!,",
        "!10,",
        "!,10",
        "10",
        "10,10,10",
        "-5,",
        "pct:",
        "^",
        "^^10,",
        "1.5,",
        "99999999999,",
        "pct:50,50",
        "Max",
        "!pct:50",
        "1e2,",
        "^0,",
    ],
)
def test_sizes_that_are_none_or_larger_without_asking(text: str) -> None:
    with pytest.raises(InvalidImageRequest):
        cut(size=text)


@pytest.mark.parametrize(
    "text", ["^360,", "^,240", "^pct:120", "^360,360", "^!360,360", "^!9999999999,9999999999", "^max", "^9999999999,"]
)
def test_enlarging_is_told_to_be_absent(text: str) -> None:
    with pytest.raises(UnsupportedImageRequest):
        cut(size=text)


def test_no_answer_is_larger_than_the_limit() -> None:
    made = cut(size="max", max_area=15_000)
    assert (made.width, made.height) == (150, 100)
    assert (cut(size="^max", max_area=15_000), cut(size="!300,300", max_area=15_000)) == (made, made)
    with pytest.raises(InvalidImageRequest) as caught:
        cut(size="300,200", max_area=15_000)
    assert (caught.value.limit, caught.value.actual) == (15_000, 60_000)


def test_a_thread_of_pixels_keeps_its_one() -> None:
    thread = image(1, 9_000_000)
    made = cut(of=thread)
    assert made.width == 1
    assert made.width * made.height <= MAX_AREA
    with pytest.raises(InvalidImageRequest):
        cut(size=",100", of=thread)


@pytest.mark.parametrize(
    ("text", "turned"),
    [("0", (False, 0)), ("360", (False, 0)), ("!0", (True, 0)), ("90.0", (False, 90)), ("!270", (True, 270))],
)
def test_rotations(text: str, turned: tuple[bool, int]) -> None:
    made = cut(rotation=text)
    assert (made.mirrored, made.degrees) == turned


@pytest.mark.parametrize("text", ["22.5", "361", "-90", "!", "", "90!", "1000", "90.", "abc", "!!90"])
def test_rotations_that_are_none_or_not_done_here(text: str) -> None:
    with pytest.raises(InvalidImageRequest):
        cut(rotation=text)


def test_color_is_the_default() -> None:
    assert cut(last="color.png") == cut(last="default.png")
    assert cut(last="gray.webp").quality is Quality.GRAY


@pytest.mark.parametrize(
    "text", ["native.jpg", "default", "default.", ".jpg", "default.tif", "default.jpg.png", "x.JPG"]
)
def test_qualities_and_formats_that_are_none(text: str) -> None:
    with pytest.raises(InvalidImageRequest):
        cut(last=text)


def test_level_two_has_jpeg_and_png_whatever_else_is_made() -> None:
    assert formats_of((Format.AVIF,)) == (Format.JPG, Format.AVIF, Format.PNG)


@pytest.mark.parametrize(
    ("parts", "address"),
    [
        (("0,0,300,200", "300,200", "0", "color.jpg"), "full/max/0/default.jpg"),
        (("square", "!100,100", "!360", "gray.png"), "50,0,200,200/100,100/!0/gray.png"),
        (("pct:0,0,50,50", ",50", "90", "default.webp"), "0,0,150,100/75,50/90/default.webp"),
        (("full", "pct:50", "0", "default.jpg"), "full/150,100/0/default.jpg"),
    ],
)
def test_canonical_addresses(parts: tuple[str, str, str, str], address: str) -> None:
    made = cut(*parts)
    assert canonical_path(image(), made, MAX_AREA) == address
    assert cut(*address.split("/")) == made


def test_tiles_are_halved_until_one_holds_the_picture() -> None:
    assert scale_factors(300, 200) == (1,)
    assert scale_factors(513, 200) == (1, 2)
    assert scale_factors(20_000, 20_000) == (1, 2, 4, 8, 16, 32, 64)
