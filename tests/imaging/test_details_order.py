"""Details, read by a worker in its sandbox, and carried to the server."""

import os

import pytest

from appliance.domain.clients import Clients
from appliance.domain.details import Details
from appliance.domain.model import KeepMetadata
from appliance.workers import Workers
from appliance.workers.answers import pack_answer, unpack_answer
from appliance.workers.protocol import MAX_MESSAGE_BYTES, ReadDetails, pack_order, unpack_order
from tests.imaging.test_details import LONG, PACKET, read
from tests.support.images import pictures
from tests.support.images.detailed_pictures import FORMATS, detailed, exif, jpeg_with
from tests.support.workers import in_memory


async def read_by(workers: Workers, data: bytes, keep: KeepMetadata = KeepMetadata.ALL) -> Details:
    fd = in_memory(data)
    try:
        return await workers.read_details(fd, keep, Clients("test"))
    finally:
        os.close(fd)


@pytest.mark.parametrize("keep", KeepMetadata)
def test_an_order_says_what_may_be_told(keep: KeepMetadata) -> None:
    order = ReadDetails(keep, 3)
    assert unpack_order(pack_order(order)) == order


def test_what_was_read_survives_its_journey() -> None:
    for details in (read(detailed("jpg")), Details(), Details(complete=False)):
        assert unpack_answer(pack_answer(details)) == details


def test_the_longest_texts_are_one_message() -> None:
    text = "ä" * 511
    details = Details(camera=text, lens=text, colour_profile=text, author=text, copyright=text, caption=text)
    assert len(pack_answer(details)) < MAX_MESSAGE_BYTES
    assert unpack_answer(pack_answer(details)) == details


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("format", [*FORMATS, "heic", "tif"])
async def test_the_sandbox_lets_a_worker_read_every_format(workers: Workers, format: str) -> None:
    data = detailed(format)
    assert await read_by(workers, data) == read(data)


@pytest.mark.asyncio(loop_scope="session")
async def test_no_encoding_is_looked_up_in_the_sandbox(workers: Workers) -> None:
    texts = exif({0x010F: b"\xdcbung", 0x010E: "Übung".encode(), 0x8298: LONG.encode()})
    details = await read_by(workers, jpeg_with(texts))
    assert (details.camera, details.caption) == ("Übung Canon EOS R5", "Übung")
    wide = pictures.saved(pictures.quarters(64, 48), "webp", xmp=PACKET.decode().encode("utf-16"))
    assert (await read_by(workers, wide)).author == "Ada, Bob"


@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_no_image_says_nothing(workers: Workers) -> None:
    for data in (b"", b"no image"):
        assert await read_by(workers, data) == Details(complete=False)
