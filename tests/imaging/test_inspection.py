"""What inspection says of a file, and the words it refuses with."""

import pytest
import pyvips

from appliance.domain import formats
from appliance.domain.errors import ApplianceError, CannotResize, EmptyUpload, NotAnImage, UnsupportedFormat
from appliance.domain.renditions import Format, Priority
from appliance.imaging.sniffing import TAKEN, sniff
from appliance.workers import Workers
from tests.support.images import hostile, pictures
from tests.support.workers import inspected, rendered, target

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSED = {
    "a BMP": pictures.saved(pictures.quarters(8, 8), "bmp"),
    "an icon file": pictures.saved(pictures.quarters(32, 32), "ico"),
    "a JPEG 2000 file": bytes.fromhex("0000000c6a5020200d0a870a") + bytes(40),
    "a JPEG XL file": bytes.fromhex("ff0a") + bytes(40),
    "a Photoshop document": b"8BPS\0\1" + bytes(40),
    "a PDF": b"%PDF-1.7\n" + bytes(40),
    "an SVG": b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "a web page": b"<!doctype html><html></html>",
    "a video or audio file": b"\0\0\0\x18ftypisom\0\0\0\0isommp41" + bytes(40),
    "a camera raw file": b"II*\0\x10\0\0\0CR\2\0" + bytes(40),
    "a PNM": b"P6\n1 1\n255\n\0\0\0",
    "a QOI": b"qoif" + bytes(20),
}


@pytest.mark.parametrize("words", list(REFUSED))
async def test_a_known_kind_that_is_not_taken_is_named(workers: Workers, words: str) -> None:
    with pytest.raises(UnsupportedFormat) as refused:
        await inspected(workers, REFUSED[words])
    assert refused.value.detail == f"This is {words}. {TAKEN}."


@pytest.mark.parametrize("data", [b"hello, world\n", hostile.archive(), b"\0" * 5000, b"\xff\xd8", b"RIFF1234WEBQ"])
async def test_what_is_no_image_is_called_so(workers: Workers, data: bytes) -> None:
    with pytest.raises(NotAnImage):
        await inspected(workers, data)


async def test_an_empty_file_is_called_empty(workers: Workers) -> None:
    with pytest.raises(EmptyUpload):
        await inspected(workers, b"")


async def test_avif_is_told_from_heic_by_its_brands() -> None:
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") is formats.AVIF
    assert sniff(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") is formats.HEIC


async def test_a_file_is_what_its_bytes_say(workers: Workers) -> None:
    assert (await inspected(workers, hostile.gif_and_html())).media_type == "image/gif"
    assert (await inspected(workers, hostile.jpeg_and_zip())).media_type == "image/jpeg"


async def test_progressive_and_interlaced_are_told(workers: Workers) -> None:
    assert (await inspected(workers, pictures.photo(progressive=True))).progressive
    assert (await inspected(workers, pictures.interlaced_png())).progressive
    assert not (await inspected(workers, pictures.photo())).progressive


async def test_too_many_pixels_are_refused_in_words_but_not_as_an_error(workers: Workers) -> None:
    facts = await inspected(workers, hostile.png_claiming(40_000, 30_000))
    assert facts.refusal == "It has 1,200,000,000 pixels. This host resizes images of up to 1,000,000,000 pixels."
    with pytest.raises(CannotResize) as refused:
        workers.lease(facts, Priority.VIEW)
    assert refused.value.detail == facts.refusal


@pytest.mark.long
async def test_the_largest_webp_is_read_and_not_refused(workers: Workers) -> None:
    side = 16_383
    picture = pyvips.Image.black(side, side).copy(interpretation="b-w")
    source = bytes(picture.webpsave_buffer(lossless=True, effort=0))
    facts = await inspected(workers, source)
    assert (facts.width, facts.height, facts.refusal) == (side, side, None)
    (made,) = await rendered(workers, source, target("thumbnail", Format.JPG))
    assert (made.width, made.height) == (256, 256)


async def test_too_much_memory_is_refused_in_words(workers: Workers) -> None:
    facts = await inspected(workers, pictures.avif().replace(_size(640, 480), _size(16_000, 16_000)))
    assert facts.refusal is not None
    assert "of memory, but this host allows 2,000 MB." in facts.refusal


async def test_errors_never_carry_a_librarys_words(workers: Workers) -> None:
    for data in hostile.truncated(pictures.png())[:5]:
        with pytest.raises(ApplianceError) as error:
            await inspected(workers, data)
        assert not any(word in error.value.detail.lower() for word in ("vips", "libpng", "exception", "errno"))


def _size(width: int, height: int) -> bytes:
    """An AVIF's `ispe` box up to its height."""
    return b"ispe" + bytes(4) + width.to_bytes(4, "big") + height.to_bytes(4, "big")
