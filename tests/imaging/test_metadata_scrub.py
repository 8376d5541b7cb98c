"""Taking out what is private: all of it, nothing else, in place, and as often as you like."""

import os
import random
import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path
from typing import Literal

import pi_heif
import pytest
import pyvips
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from appliance.domain.errors import ApplianceError
from appliance.domain.file_edits import Findings
from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Unclear
from appliance.imaging.metadata import find
from appliance.imaging.metadata.cleaning import Cleaner
from appliance.imaging.metadata.exif import clean_exif
from appliance.imaging.metadata.icc import clean_icc
from appliance.imaging.metadata.iptc import clean_iptc
from appliance.imaging.metadata.photoshop import clean_resources
from appliance.imaging.metadata.xmp import clean_xmp
from tests.support.images import pictures, private_pictures
from tests.support.metadata import MAKERS, applied, found_in, inflated
from tests.support.programs import require

READABLE_FORMATS = ["jpg", "png", "webp", "avif", "gif", "tif", "heic"]
PROPERTY = settings(max_examples=150, deadline=None)


def picture(format: str) -> bytes:
    if format == "heic":
        if shutil.which("heif-enc") is None:
            require("heif-enc", "Debian's libheif-examples brings it")
        return private_pictures.heic()
    return MAKERS[format]()


def cleaned(data: bytes, *, complete: bool = True) -> bytes:
    found = found_in(data)
    assert found.complete is complete
    result = applied(data, found)
    assert len(result) == (found.cut_at or len(data))
    again = found_in(result)
    assert (again.edits, again.cut_at) == ((), None), "cleaning again changes nothing"
    return result


def leaks(data: bytes) -> list[bytes]:
    """Which secrets are left, also in hexadecimal and in compressed text."""
    haystack = data + b"".join(inflated(data))
    return [secret for secret in private_pictures.SECRETS if secret in haystack or secret.hex().encode() in haystack]


def frames(data: bytes, format: str) -> list[bytes]:
    if format == "heic":
        heif = pi_heif.open_heif(data)  # held, for its pixels live no longer than it does
        return [bytes(heif.data)]
    opened = pictures.opened(data)
    found = []
    for number in range(getattr(opened, "n_frames", 1)):
        opened.seek(number)
        found.append(opened.convert("RGBA").tobytes())
    return found


# --- every format -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", READABLE_FORMATS)
def test_nothing_private_is_left_and_the_pixels_stay(format: str) -> None:
    before = picture(format)
    assert leaks(before), "the picture has something to hide"
    after = cleaned(before)
    assert leaks(after) == []
    assert frames(after, format) == frames(before, format)


@pytest.mark.parametrize("format", ["jpg", "png", "webp", "tif", "heic"])
def test_dates_credits_and_the_camera_stay(format: str) -> None:
    after = cleaned(picture(format))
    assert [kept for kept in private_pictures.KEPT if kept not in after] == []


@pytest.mark.parametrize("format", ["jpg", "png", "webp", "avif", "heic"])
def test_pillow_reads_the_exif_that_stays(format: str) -> None:
    data = cleaned(picture(format))
    if format == "heic":
        exif = Image.Exif()
        exif.load(pi_heif.open_heif(data).info["exif"])
    else:
        exif = pictures.opened(data).getexif()
    assert exif[0x010F] == "Some Camera"
    assert exif.get_ifd(0x8769) == {0x9003: "2024:05:06 07:08:09"}
    assert exif.get_ifd(0x8825) == {}
    if format in ("jpg", "png", "webp"):
        assert exif[0x0112] == 6


@pytest.mark.parametrize("format", ["jpg", "png", "webp", "avif", "tif", "gif"])
def test_libvips_reads_what_was_cleaned(format: str) -> None:
    strict = "error" if format == "tif" else "warning"  # libtiff warns of tags that are not its own
    image = pyvips.Image.new_from_buffer(cleaned(picture(format)), "", fail_on=strict)
    assert image.avg() > 0
    told = " ".join(name for name in image.get_fields() if "GPS" in name or "Serial" in name)
    assert told == ""


@pytest.mark.parametrize("format", READABLE_FORMATS)
def test_exiftool_finds_nothing_private_and_nothing_broken(format: str, tmp_path: Path) -> None:
    tool = shutil.which("exiftool")
    if tool is None:
        require("exiftool", "Debian's libimage-exiftool-perl brings it")
    before, after = tmp_path / f"before.{format}", tmp_path / f"after.{format}"
    before.write_bytes(picture(format))
    after.write_bytes(cleaned(before.read_bytes()))

    def told(path: Path, *options: str) -> set[str]:
        command = [str(tool), "-a", "-s3", *options, str(path)]
        return set(subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines())

    private = ["-gps*", "-*serial*", "-*owner*", "-makernotes", "-city", "-photoshop:*", "-exif:makernote*"]
    assert {line for line in told(after, *private) if line.strip() and "Credit" not in line} <= {"(c) somebody"}
    assert told(before, *private)
    assert told(after, "-warning", "-error") <= told(before, "-warning", "-error")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_both_byte_orders_and_big_tiffs_are_cleaned(order: str, big: bool) -> None:
    before = private_pictures.tiff(order, big=big, pages=3)
    after = cleaned(before)
    assert leaks(after) == []
    pages = [pyvips.Image.tiffload_buffer(data, n=-1) for data in (before, after)]  # Pillow reads no big-endian BigTIFF
    assert pages[0].height == 3 * 48
    assert pages[0].write_to_memory() == pages[1].write_to_memory()


@pytest.mark.parametrize("seed", range(4))
def test_a_plain_picture_is_left_alone(seed: int) -> None:
    plain = [
        pictures.photo(seed=seed),
        pictures.png(),
        pictures.webp(),
        pictures.avif(),
        pictures.tiff(),
    ]
    for data in (*plain, pictures.animated("gif"), pictures.p3_jpeg(), pictures.oriented_jpeg(6)):
        assert found_in(data) == Findings((), complete=True)


def test_scan_data_and_profile_of_a_jpeg_stay_to_the_byte() -> None:
    profile = pictures.opened(pictures.p3_jpeg()).info["icc_profile"]
    data = pictures.saved(pictures.quarters(), "jpeg", exif=private_pictures.exif(), icc_profile=profile)
    after = cleaned(data)
    scan = data.index(b"\xff\xda")
    assert after[scan:] == data[scan:]
    assert pictures.opened(after).info["icc_profile"] == profile


# --- JPEG ---------------------------------------------------------------------------------------------------------


def test_pictures_and_videos_behind_a_picture_are_cut_off() -> None:
    assert cleaned(private_pictures.motion_photo()) == pictures.photo(64, 48)


def test_xmp_over_several_segments_is_cleaned() -> None:
    before = private_pictures.extended_xmp_jpeg()
    assert leaks(before)
    assert leaks(cleaned(before)) == []


def test_pixels_that_look_like_metadata_are_left_alone() -> None:
    data = pictures.saved(pictures.quarters(64, 48), "jpeg")
    scan = data.index(b"\xff\xda") + 14
    tricky = data[:scan] + b"Exif\0\0" + private_pictures.exif().tobytes()[6:] + data[scan:]
    assert found_in(tricky).edits == ()


def test_what_a_maker_note_points_to_outside_of_itself_goes_too() -> None:
    exif = private_pictures.exif().tobytes() + b"hidden behind: SERIAL-4711"
    data = pictures.photo(64, 48)
    assert leaks(cleaned(data[:2] + private_pictures.segment(0xE1, exif) + data[2:])) == []


def test_content_credentials_are_taken_out_and_their_loss_is_said() -> None:
    data = pictures.saved(pictures.quarters(64, 48), "jpeg")
    signed = data[:2] + private_pictures.segment(0xEB, b"JP\0\1\0\0\0\1 jumb c2pa exif:GPSLatitude") + data[2:]
    assert found_in(signed).content_credentials
    assert b"c2pa" not in cleaned(signed)
    assert not found_in(cleaned(signed)).content_credentials


# --- PNG ----------------------------------------------------------------------------------------------------------


def test_every_checksum_of_a_cleaned_png_is_right() -> None:
    after, at, kinds = cleaned(private_pictures.png()), 8, []
    while at < len(after):
        length, kind = int.from_bytes(after[at : at + 4], "big"), after[at + 4 : at + 8]
        told = int.from_bytes(after[at + 8 + length : at + 12 + length], "big")
        assert zlib.crc32(after[at + 4 : at + 8 + length]) == told
        kinds.append(kind)
        at += 12 + length
    assert kinds[-1] == b"IEND"
    assert pictures.opened(after).info["Copyright"] == "(c) somebody"


def test_text_that_is_no_profile_goes_as_other_texts_do() -> None:
    info = PngImagePlugin.PngInfo()
    info.add(b"zTXt", b"Raw profile type exif\0\0" + b"no deflate")
    data = pictures.saved(pictures.quarters(64, 48), "png", pnginfo=info)
    assert b"Raw profile" not in cleaned(data)


# --- hostile ------------------------------------------------------------------------------------------------------


@PROPERTY
@given(st.binary(max_size=400), st.sampled_from([clean_exif, clean_xmp, clean_iptc, clean_resources, clean_icc]))
def test_no_block_grows_or_crashes(data: bytes, clean: Cleaner) -> None:
    try:
        once = clean(data, KeepMetadata.CREDITS)
        assert len(once) == len(data)
        assert clean(once, KeepMetadata.CREDITS) == once
    except Unclear:
        pass


@PROPERTY
@given(st.lists(st.sampled_from([b"<", b">", b"/", b'"', b"'", b" ", b"e:GPSx", b"=", b"a", b"City", b"<!--", b"-->"])))
def test_no_xmp_that_names_a_place_is_left(parts: list[bytes]) -> None:
    packet = b"".join(parts)
    once = clean_xmp(packet, KeepMetadata.CREDITS)
    assert len(once) == len(packet)
    assert clean_xmp(once, KeepMetadata.CREDITS) == once
    assert b"<e:GPSx>" not in once


@PROPERTY
@given(st.sampled_from(sorted(MAKERS)), st.integers(0, 2**32), st.integers(1, 40))
def test_damaged_files_never_grow_or_crash_and_cleaning_again_changes_nothing(
    format: str, seed: int, hits: int
) -> None:
    choose, data = random.Random(seed), bytearray(MAKERS[format]())
    for _ in range(hits):
        data[choose.randrange(16, len(data))] = choose.choice((0, 1, 2, 4, 0x7F, 0x80, 0xFF, choose.randrange(256)))
    del data[choose.choice((len(data), choose.randrange(32, len(data)))) :]
    try:
        found = found_in(bytes(data))
    except ApplianceError:  # no picture any more
        reject()
    once = applied(bytes(data), found)
    for edit in found.edits:
        assert 0 <= edit.offset < edit.end <= len(data)
    if found.complete and format != "tif":  # of files whose directories lie over one another a second look finds more
        assert found_in(once).edits == ()


@PROPERTY
@given(st.integers(0, 2**32), st.sampled_from(["<", ">"]))
def test_directories_that_point_anywhere_never_cost_a_tiff_its_pixels(seed: int, order: str) -> None:
    choose, data = random.Random(seed), bytearray(private_pictures.tiff(order, pages=1))
    number: Literal["little", "big"] = "little" if order == "<" else "big"
    pixels = bytes(data[8 : 8 + 64 * 48 * 3])
    pointer = next(at for at in range(len(data) - 4, 0, -2) if data[at : at + 2] == (0x8825).to_bytes(2, number))
    data[pointer + 8 : pointer + 12] = choose.randrange(len(data)).to_bytes(4, number)
    after = applied(bytes(data), found_in(bytes(data)))
    assert after[8 : 8 + len(pixels)] == pixels
    assert pictures.opened(after).size == (64, 48)


def test_reading_ends_with_the_file_and_leaves_its_offset_alone() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(private_pictures.jpeg())
        file.flush()
        os.lseek(file.fileno(), 5, os.SEEK_SET)
        find(file.fileno(), KeepMetadata.NOTHING)
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 5


def test_what_follows_a_picture_is_cut_off_unread_however_much_it_is() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(picture := pictures.saved(pictures.quarters(64, 48), "jpeg"))
        file.truncate(600 * 1024 * 1024)  # sparse
        assert find(file.fileno(), KeepMetadata.CREDITS) == Findings((), complete=True, cut_at=len(picture))


def test_what_no_decoder_reads_is_not_called_clean() -> None:
    data = pictures.animated("gif", frames=2, width=64, height=48)
    assert not found_in(data[:-1] + b"?").complete
