"""What phones and careless programs leave in a picture is gone: judged by exiftool before and after."""

import pytest
import pyvips

from appliance.imaging.headers import orientation_of
from tests.support.images import leftovers, pictures
from tests.support.images.gif_writer import KEEP, Frame, gif
from tests.support.images.leftovers import LEFTOVERS, MARKS, Leftover
from tests.support.images.pictures import frames
from tests.support.images.png_writer import chunk
from tests.support.images.rich_pictures import told
from tests.support.metadata import cleaned, holds

EVERY_LEFTOVER = pytest.mark.parametrize("leftover", LEFTOVERS, ids=lambda each: f"{each.ending}: {each.what}")


@EVERY_LEFTOVER
def test_nothing_is_left_behind_the_picture(leftover: Leftover) -> None:
    before, after = leftover.make(), cleaned(leftover.make())
    found, left = told(before, leftover.ending), told(after, leftover.ending)
    assert any(tag.startswith(leftover.tag) for tag in found), "exiftool knows what there is to remove"
    assert left == told(leftover.clean(), leftover.ending)
    assert after == leftover.clean()


def test_the_place_in_a_samsung_trailer_is_one_that_can_be_read() -> None:
    assert holds(leftovers.samsung_trailer())


@pytest.mark.parametrize("mark", MARKS)
def test_no_place_stays_under_a_wrong_mark(mark: bytes) -> None:
    before, after = leftovers.with_mark(mark), cleaned(leftovers.with_mark(mark))
    assert "GPS:GPSLatitude" in told(before, "jpg")
    judged = {tag for tag in told(after, "jpg") if not tag.startswith(("JFIF:", "ExifTool:"))}
    assert judged <= {"IFD0:Orientation", "IFD0:Copyright"}
    assert frames(after) == frames(before)


@pytest.mark.parametrize("mark", MARKS)
def test_what_a_decoder_ignored_turns_no_picture_after_cleaning(mark: bytes) -> None:
    data = leftovers.with_mark(mark)
    before, after = (pyvips.Image.new_from_buffer(each, "") for each in (data, cleaned(data)))
    assert orientation_of(after) == orientation_of(before)


def test_what_is_written_over_a_larger_picture_shows_nothing_of_it() -> None:
    """The attack needs the end of the larger picture's data, which is what follows the smaller one."""
    for leftover in (each for each in LEFTOVERS if each.what == "most of a larger picture"):
        larger = leftover.make()
        tail = larger[len(leftover.clean()) :]
        assert len(tail) > len(leftover.clean()), "there is more of the larger picture than of the smaller one"
        assert tail[-100:] not in cleaned(larger)
        assert pictures.opened(cleaned(larger)).size == (64, 48)


def test_the_end_of_a_png_stays_when_its_data_goes() -> None:
    whole = pictures.saved(pictures.quarters(64, 48), "png")
    assert cleaned(whole[:-12] + chunk(b"IEND", b"My place is 48.1, 11.5")) == whole


@pytest.mark.parametrize("after", [b"\x03\x01\0\0", b"\x04\x04\x0a\0\0"], ids=["loop", "control"])
def test_nothing_is_left_behind_what_a_gif_needs(after: bytes) -> None:
    """In further sub-blocks of an extension that stays."""
    whole = gif((40, 30), Frame((0, 0, 40, 30), 1, KEEP))
    assert whole.count(after) == 1
    before = whole.replace(after, after + b"\x06SECRET")
    assert b"SECRET" not in cleaned(before)
    assert cleaned(before) == before.replace(b"SECRET", bytes(6))
    assert cleaned(whole) == whole
