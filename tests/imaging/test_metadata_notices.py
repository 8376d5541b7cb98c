"""Notices that laws protect, and the turn of a picture, stay in whatever form they come."""

import random
import struct
import zlib

import pytest
import pyvips
from PIL import Image

from appliance.domain.model import KeepMetadata
from appliance.imaging.metadata.exif import clean_exif
from appliance.imaging.metadata.xmp import clean_xmp
from tests.support.images.hidden_places import in_header, with_chunks
from tests.support.images.png_writer import chunk
from tests.support.images.private_pictures import segment
from tests.support.metadata import cleaned, found_in, xmp

XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
CREDITED = xmp('<D photoshop:Credit="An Agency"/>')
TOLD = xmp(f'<D photoshop:Credit="An Agency" aux:SerialNumber="SERIAL-4711 {random.Random(1).randbytes(200).hex()}"/>')
PLACED = xmp('<D photoshop:City="Wien" exif:GPSLatitude="48,12.5N"/>')


@pytest.mark.parametrize("head", [b"\1\0\0\0", b"\1\0en\0XMP\0", b"\0\0en\0XMP\0"])
@pytest.mark.parametrize("packet", [CREDITED, TOLD])
def test_xmp_that_a_png_has_compressed_or_in_a_language_keeps_its_credit(head: bytes, packet: bytes) -> None:
    text = zlib.compress(packet) if head[0] else packet
    after = cleaned(with_chunks(chunk(b"iTXt", b"XML:com.adobe.xmp\0" + head + text)))
    assert "An Agency" in pyvips.Image.pngload_buffer(after, fail_on="warning").get("xmp-data").decode()
    assert b"SERIAL" not in after
    assert b"XML:com.adobe.xmp" in after


def test_compressed_xmp_that_has_no_room_for_what_stays_is_not_called_clean() -> None:
    packet = zlib.compress(xmp(f'<D photoshop:Credit="An Agency" tiff:Make="{"x" * 999}"/>'))
    assert not found_in(
        with_chunks(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packet)), KeepMetadata.NOTHING
    ).complete


def test_xmp_in_the_wrapper_of_old_programs_keeps_its_credit() -> None:
    packet = CREDITED.replace(b"x:xmpmeta", b"x:xapmeta")
    assert b"An Agency" in clean_xmp(packet, KeepMetadata.NOTHING)


def test_the_packet_that_has_a_credit_stays_wherever_it_is() -> None:
    packets = [segment(0xE1, XMP_MARK + packet) for packet in (PLACED, TOLD, TOLD)]
    after = cleaned(in_header(*packets))
    assert after.count(b"An Agency") == 1
    assert b"Wien" not in after


def test_the_owner_of_the_rights_is_a_part_of_the_notice() -> None:
    owner = "<D><xmpRights:Owner><rdf:Bag><rdf:li>Olga</rdf:li></rdf:Bag></xmpRights:Owner></D>"
    assert b"Olga" in clean_xmp(xmp(owner), KeepMetadata.NOTHING)


def exif(tag: int, kind: int, count: int, value: bytes) -> bytes:
    inline = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", 26)
    table = struct.pack("<HHHI", 1, tag, kind, count) + inline + bytes(4)
    return b"Exif\0\0II*\0\x08\0\0\0" + table + (value if len(value) > 4 else b"")


def test_a_notice_that_is_called_bytes_stays() -> None:
    block = exif(0x8298, 7, 12, b"(c) somebody")
    assert clean_exif(block, KeepMetadata.NOTHING) == block


@pytest.mark.parametrize("numbers", [(6, 0), (6, 4711, 4712, 4713)])
def test_the_turn_of_a_picture_stays_however_many_numbers_it_has(numbers: tuple[int, ...]) -> None:
    before = in_header(segment(0xE1, exif(0x0112, 3, len(numbers), struct.pack(f"<{len(numbers)}H", *numbers))))
    after = cleaned(before)
    assert pyvips.Image.jpegload_buffer(after).get("orientation") == 6
    assert Image.Exif.get(_exif_of(after), 0x0112) == 6
    assert struct.pack("<H", 4711) not in after[:200]


def _exif_of(data: bytes) -> Image.Exif:
    found = Image.Exif()
    at = data.index(b"Exif\0\0")
    found.load(data[at : at + 40])
    return found
