"""What the quick scan and libjpeg's way make of scans that are odd or damaged: libjpeg's warnings decide."""

import pytest

from appliance.imaging.fast_jpeg.extension import Extension, WantedSize
from tests.imaging.fast_jpeg import handmade
from tests.imaging.fast_jpeg.test_sizes import grey
from tests.support.images import pictures
from tests.support.images.distance import distance

QUARTER = 4
SHRINKS = (1, 2, QUARTER, 8)
LARGE, SIZE = (400, 264), (50, 33)


def rendered(extension: Extension, jpeg: bytes, shrink: int, size: tuple[int, int] = (16, 16)) -> bytes | None:
    made = extension.render(jpeg, [WantedSize(size, None, 95, effort=0)], shrink=shrink, orientation=1)
    return made[0] if made else None


def by_libjpeg(jpeg: bytes) -> bytes:
    """The file with a comment in front of its end, which the quick scan leaves to libjpeg."""
    return b"\xff\xfe\0\4hi\xff\xd9".join(jpeg.rsplit(b"\xff\xd9", 1))


@pytest.mark.parametrize("shrink", SHRINKS)
@pytest.mark.parametrize("case", handmade.WHOLE)
def test_a_whole_scan_is_read(extension: Extension, case: str, shrink: int) -> None:
    assert rendered(extension, handmade.WHOLE[case], shrink) is not None


@pytest.mark.parametrize("case", handmade.ODD)
def test_an_odd_scan_of_which_libjpeg_says_nothing_is_read_by_libjpeg(extension: Extension, case: str) -> None:
    jpeg = handmade.ODD[case]
    made = rendered(extension, jpeg, QUARTER)
    assert made is not None
    assert made == rendered(extension, by_libjpeg(jpeg), QUARTER)


@pytest.mark.parametrize("shrink", SHRINKS)
@pytest.mark.parametrize("case", handmade.DAMAGED)
def test_a_damaged_scan_is_left_to_libvips(extension: Extension, case: str, shrink: int) -> None:
    assert rendered(extension, handmade.DAMAGED[case], shrink) is None


FACTORS = (
    ((1, 1), (1, 1), (1, 1)),
    ((2, 1), (1, 1), (1, 1)),
    ((1, 2), (1, 1), (1, 1)),
    ((2, 2), (1, 1), (1, 1)),
    ((4, 1), (1, 1), (1, 1)),
    ((4, 2), (1, 1), (1, 1)),
    ((3, 2), (1, 1), (3, 1)),
    ((2, 2), (2, 1), (1, 2)),
    ((2, 2), (1, 1), (2, 2)),
)


@pytest.mark.parametrize("side", (200, 203))
@pytest.mark.parametrize("factors", FACTORS)
def test_every_sampling_looks_as_libjpeg_reads_it(
    extension: Extension, factors: tuple[tuple[int, int], ...], side: int
) -> None:
    jpeg = handmade.gradients(factors, side)
    quick, whole = (rendered(extension, jpeg, shrink, SIZE) for shrink in (QUARTER, 1))
    assert quick is not None
    assert whole is not None
    assert distance(pictures.opened(quick), pictures.opened(whole)) < 2


@pytest.mark.parametrize("shrink", SHRINKS)
@pytest.mark.parametrize("factors", (0x12, 0x21, 0x22, 0x42))
def test_sampling_factors_of_a_grey_image_change_nothing(extension: Extension, factors: int, shrink: int) -> None:
    made, plain = (rendered(extension, jpeg, shrink, SIZE) for jpeg in (grey(factors, LARGE), grey(0x11, LARGE)))
    assert made is not None
    assert plain is not None
    assert distance(pictures.opened(made), pictures.opened(plain)) == 0


@pytest.mark.parametrize("shrink", SHRINKS)
@pytest.mark.parametrize("factors", (0x13, 0x14, 0x44))
def test_a_grey_image_of_more_than_two_rows_of_blocks_at_once_is_left_to_libvips(
    extension: Extension, factors: int, shrink: int
) -> None:
    assert rendered(extension, grey(factors, LARGE), shrink, SIZE) is None
