"""Cleaning in a worker that has given up everything: what it finds there is what is found outside."""

import os
import struct

import pytest

from appliance.domain.file_edits import Findings
from appliance.domain.model import KeepMetadata
from appliance.workers import Workers
from tests.support.images import pictures, private_pictures
from tests.support.images.hidden_places import PLACES, Place
from tests.support.images.private_pictures import segment
from tests.support.metadata import MAKERS, applied, found_in, xmp
from tests.support.workers import in_memory

pytestmark = pytest.mark.asyncio(loop_scope="session")

CREDITED = xmp('<D photoshop:Credit="An Agency" exif:GPSLatitude="48,12.5N" aux:SerialNumber="SERIAL-4711"/>').decode()
WIDE = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
DECLARED = ["iso-8859-1", "ISO-8859-1", "us-ascii", "windows-1252", "utf-8", "koi8-r", "cp500", "idna", "no-such"]


async def found_in_cage(workers: Workers, data: bytes, keep: KeepMetadata = KeepMetadata.CREDITS) -> Findings:
    fd = in_memory(data)
    try:
        return await workers.find_private(fd, keep)
    finally:
        os.close(fd)


def with_xmp(packet: bytes) -> bytes:
    """A JPEG with this packet, and with EXIF that tells where it was taken."""
    plain = pictures.saved(pictures.quarters(64, 48), "jpeg", exif=private_pictures.exif())
    return plain[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet) + plain[2:]


@pytest.mark.parametrize("format", MAKERS)
async def test_a_caged_worker_cleans_every_format(workers: Workers, format: str) -> None:
    data = MAKERS[format]()
    found = await found_in_cage(workers, data)
    assert found.complete
    assert found == found_in(data)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.ending}: {place.where}")
async def test_a_caged_worker_finds_what_hides_in_any_place(workers: Workers, place: Place) -> None:
    found = await found_in_cage(workers, place.make())
    assert found.complete
    assert found == found_in(place.make())


@pytest.mark.parametrize("encoding", WIDE)
async def test_a_caged_worker_reads_xmp_in_any_width(workers: Workers, encoding: str) -> None:
    data = with_xmp(CREDITED.encode(encoding))
    found = await found_in_cage(workers, data)
    assert found.complete
    assert b"An Agency" in applied(data, found)
    assert b"SERIAL-4711" not in applied(data, found).replace(b"\0", b"")


@pytest.mark.parametrize("encoding", DECLARED)
async def test_a_caged_worker_reads_xmp_whatever_encoding_it_declares(workers: Workers, encoding: str) -> None:
    data = with_xmp(b'<?xml version="1.0" encoding="%b"?>' % encoding.encode() + CREDITED.encode())
    found = await found_in_cage(workers, data)
    assert found.complete
    assert found == found_in(data)
    assert b"An Agency" in applied(data, found)
    assert encoding.encode() not in applied(data, found)


async def test_a_zero_in_the_middle_of_xmp_costs_no_worker(workers: Workers) -> None:
    data = with_xmp(CREDITED.encode().replace(b"An Agency", b"An\0Agency"))
    assert (await found_in_cage(workers, data)).complete


async def test_an_offset_that_no_file_has_is_no_fault_and_costs_no_worker(workers: Workers) -> None:
    data = bytearray(private_pictures.tiff(big=True, pages=1))
    at = data.index(struct.pack("<HH", 0x010F, 2)) + 12
    data[at : at + 8] = struct.pack("<Q", 0x8000000000000010)
    found = await found_in_cage(workers, bytes(data))
    assert found == found_in(bytes(data))
    assert found.edits


async def test_a_notice_in_latin_letters_of_a_byte_each_stays(workers: Workers) -> None:
    packet = CREDITED.replace("An Agency", "\xa9 K\xf6nig").encode("iso-8859-1")
    data = with_xmp(b'<?xml version="1.0" encoding="iso-8859-1"?>' + packet)
    assert "\xa9 K\xf6nig".encode() in applied(data, await found_in_cage(workers, data))
