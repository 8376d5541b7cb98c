"""What a file can carry beyond a picture goes, wherever it hides; the picture stays, pixel for pixel."""

import shutil
import subprocess
from pathlib import Path

import pytest
import pyvips
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from appliance.domain.errors import ApplianceError
from appliance.domain.file_edits import Findings
from appliance.domain.model import KeepMetadata
from tests.support.images import hidden_places, pictures
from tests.support.images.hidden_places import PLACES, SECRET, Place
from tests.support.images.pictures import frames
from tests.support.images.png_writer import chunk
from tests.support.images.private_pictures import box, segment
from tests.support.metadata import applied, cleaned, found_in, holds
from tests.support.programs import require

NOTHING = KeepMetadata.NOTHING
PROPERTY = settings(max_examples=200, deadline=None)
EVERY_PLACE = pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.ending}: {place.where}")


# --- every place --------------------------------------------------------------------------------------------------


@EVERY_PLACE
@pytest.mark.parametrize("keep", [KeepMetadata.NOTHING, KeepMetadata.CREDITS])
def test_what_hides_in_a_picture_goes_and_its_pixels_stay(place: Place, keep: KeepMetadata) -> None:
    before = place.make()
    assert holds(before), "there is something to hide"
    assert found_in(before, keep).content_credentials is place.signed
    after = cleaned(before, keep)
    assert not holds(after)
    assert frames(after) == frames(before)


@EVERY_PLACE
def test_libvips_reads_what_is_left_without_a_warning(place: Place) -> None:
    image = pyvips.Image.new_from_buffer(cleaned(place.make()), "", fail_on="warning")
    assert image.avg() > 0


@EVERY_PLACE
def test_exiftool_finds_nothing_of_it_and_nothing_broken(place: Place, tmp_path: Path) -> None:
    tool = shutil.which("exiftool")
    if tool is None:
        require("exiftool", "Debian's libimage-exiftool-perl brings it")
    path = tmp_path / f"after.{place.ending}"
    path.write_bytes(cleaned(place.make()))
    command = [str(tool), "-a", "-G1", "-ee", "-u", "-U", "-b", "-s", str(path)]
    told = subprocess.run(command, capture_output=True, check=False)
    assert SECRET not in told.stdout
    warnings = [line for line in told.stdout.splitlines() if b"Warning" in line and b"[minor]" not in line]
    assert warnings == [line for line in warnings if b"JUMBF" in line], "nothing new is broken"


# --- what a picture needs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("progressive", [False, True])
def test_plain_pictures_stay_as_they_are(progressive: bool) -> None:
    plain = [pictures.saved(pictures.quarters(64, 48), "jpeg", progressive=progressive), pictures.png()]
    plain += [pictures.webp(), pictures.avif(), pictures.alpha_png(), pictures.palette_png(), pictures.p3_jpeg()]
    plain += [pictures.animated("gif"), pictures.animated("webp"), pictures.cmyk_jpeg(), pictures.interlaced_png()]
    plain += [pictures.saved(pictures.alpha_picture(64, 48), format) for format in ("webp", "avif")]
    for data in plain:
        assert found_in(data, NOTHING) == Findings((), complete=True)


def test_a_gain_map_behind_a_jpeg_stays_readable() -> None:
    before = hidden_places.ultra_hdr()
    after = cleaned(before + b"and more")
    assert len(after) == len(before)
    shown = [pyvips.Image.uhdrload_buffer(data) for data in (before, after)]
    gains = [pyvips.Image.jpegload_buffer(image.get("gainmap-data")) for image in shown]
    assert gains[0].write_to_memory() == gains[1].write_to_memory()
    assert shown[0].write_to_memory() == shown[1].write_to_memory()
    fields = [{name: image.get(name) for name in image.get_fields() if name.startswith("gainmap-m")} for image in shown]
    assert fields[0] == fields[1]


def test_only_a_gain_map_may_lie_behind_a_jpeg() -> None:
    place = next(place for place in PLACES if place.where == "a preview behind the picture")
    after = cleaned(place.make())
    assert after.endswith(b"\xff\xd9")
    assert after.count(b"\xff\xd8\xff") == 1
    assert b"MPF\0" not in after


def test_a_gain_map_of_an_avif_stays_and_its_thumbnail_goes() -> None:
    plain = hidden_places.avif(hidden_places.gain_map())
    assert found_in(plain, NOTHING) == Findings((), complete=True)


def test_the_colours_of_a_png_stay_when_its_profile_is_packed_again() -> None:
    places = [place for place in PLACES if place.ending == "png" and "its profile" in place.where]
    for place in places:
        before, after = place.make(), cleaned(place.make())
        assert pictures.opened(after).info["icc_profile"] == pictures.opened(before).info["icc_profile"]


def test_frames_of_a_png_that_is_no_animation_go() -> None:
    frame = chunk(b"fcTL", SECRET.ljust(26)), chunk(b"fdAT", bytes(4) + SECRET)
    assert not holds(cleaned(hidden_places.with_chunks(*frame)))
    moving = pictures.animated("png", frames=3, width=64, height=48)
    assert found_in(moving, NOTHING) == Findings((), complete=True)


def test_a_grey_png_keeps_no_palette_and_a_number_of_lines_stays_behind_the_first_scan() -> None:
    grey = pictures.saved(pictures.quarters(64, 48).convert("L"), "png")
    assert not holds(cleaned(grey[:33] + chunk(b"PLTE", SECRET.ljust(12)) + grey[33:]))
    lines = hidden_places.in_header()[:-2] + segment(0xDC, b"\0\x30") + b"\xff\xd9"
    assert cleaned(lines) == lines


def test_a_copyright_notice_stays_and_an_author_only_with_the_credits() -> None:
    notice = chunk(b"tEXt", b"Copyright\0(c) somebody")
    author = chunk(b"tEXt", b"Author\0somebody else")
    data = hidden_places.with_chunks(notice, author, chunk(b"tIME", b"\x07\xe8\5\6\7\x08\x09"))
    assert notice in cleaned(data)
    assert author not in cleaned(data)
    assert b"tIME" not in cleaned(data)
    assert cleaned(data, KeepMetadata.CREDITS) == data


def test_a_repeated_or_split_profile_of_a_jpeg_stays_in_any_order_and_whole() -> None:
    profile = pictures.opened(pictures.p3_jpeg()).info["icc_profile"]
    parts = [profile[:200], profile[200:]]
    segments = [segment(0xE2, b"ICC_PROFILE\0" + bytes((n, 2)) + part) for n, part in enumerate(parts, 1)]
    data = hidden_places.in_header(segments[1], segments[0])
    assert cleaned(data) == data
    once_more = cleaned(hidden_places.in_header(segments[1], segments[0], segments[0]))
    assert b"ICC_PROFILE" not in once_more, "no decoder takes a profile with a part too many"


# --- much of it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        hidden_places.with_chunks(chunk(b"tEXt", b"a\0b") * 100_000),
        hidden_places.in_header(segment(0xFE, b"a") * 100_000),
        hidden_places.between_frames((b"!\xfe" + hidden_places.sub_blocks(b"a")) * 100_000),
        hidden_places.riff(hidden_places.webp()[12:] + hidden_places.riff_chunk(b"prVt", b"a") * 100_000),
        hidden_places.avif(after=box(b"prVt", b"a") * 90_000 + box(b"mdat", b"")),
    ],
    ids=["png", "jpg", "gif", "webp", "avif"],
)
def test_a_hundred_thousand_things_that_go_are_few_edits(data: bytes) -> None:
    assert len(found_in(data, NOTHING).edits) < 100
    assert frames(cleaned(data))


def test_a_long_range_that_goes_is_one_edit() -> None:
    data = hidden_places.with_chunks(chunk(b"prVt", b"x" * 5_000_000))
    assert max(edit.length for edit in found_in(data, NOTHING).edits) == 5_000_000


# --- hostile ------------------------------------------------------------------------------------------------------


@PROPERTY
@given(st.sampled_from(PLACES), st.data())
def test_damaged_containers_are_never_a_fault_and_no_edit_leaves_the_file(place: Place, draw: st.DataObject) -> None:
    data = bytearray(place.make())
    for at in draw.draw(st.lists(st.integers(12, len(data) - 1), max_size=12)):
        data[at] = draw.draw(st.sampled_from((0, 1, 2, 4, 0x7F, 0x80, 0xD8, 0xD9, 0xFE, 0xFF)))
    del data[draw.draw(st.integers(32, len(data))) :]
    try:
        found = found_in(bytes(data), NOTHING)
    except ApplianceError:  # no picture any more
        reject()
    assert all(0 <= edit.offset < edit.end <= len(data) for edit in found.edits)
    assert found.cut_at is None or 0 < found.cut_at < len(data)


def test_pixels_of_a_length_that_png_forbids_are_never_cut_off() -> None:
    data = bytearray(pictures.png(64, 48))
    data[data.index(b"IDAT") - 4] = 0x80
    found = found_in(bytes(data), NOTHING)
    assert not found.complete
    assert frames(applied(bytes(data), found)) == frames(bytes(data))


@PROPERTY
@given(st.sampled_from(PLACES), st.data())
def test_what_pillow_shows_of_a_damaged_picture_it_shows_of_the_cleaned_one(place: Place, draw: st.DataObject) -> None:
    data = bytearray(place.make())
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.integers(12, len(data) - 1))
        data[at] = draw.draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xD9, 0xFF)))
    try:
        before = frames(bytes(data))
    except Exception:  # Pillow has no rule for what it raises
        reject()
    try:
        found = found_in(bytes(data), NOTHING)
    except ApplianceError:
        reject()
    assume(found.complete)
    assert frames(applied(bytes(data), found)) == before
