"""What originals say of themselves, read from each format and from each of its blocks."""

import dataclasses
import random
import struct
import tempfile
import zlib
from typing import Any

import pytest
from PIL import PngImagePlugin

from appliance.domain.details import MAX_TEXT_BYTES, Details, clean_text, clean_time
from appliance.domain.errors import ApplianceError
from appliance.domain.model import KeepMetadata
from appliance.imaging.details import read_details
from appliance.imaging.details.profile import told_by_profile
from tests.support.images import pictures, private_pictures
from tests.support.images.detailed_pictures import (
    CAMERA,
    FORMATS,
    RIGHTS,
    WHOLE,
    detailed,
    exif,
    jpeg_with,
    raw_exif,
)
from tests.support.images.png_writer import chunk
from tests.support.images.private_pictures import segment
from tests.support.metadata import xmp

EVERY_FORMAT = [*FORMATS, "heic", "tif"]
LONG = "x" * 65_000


def read(data: bytes, keep: KeepMetadata = KeepMetadata.ALL) -> Details:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return read_details(file.fileno(), keep)


def said(details: Details) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(details).items() if value not in (None, True, False)}


@pytest.mark.parametrize("format", EVERY_FORMAT)
def test_every_format_says_the_same(format: str) -> None:
    details = read(detailed(format))
    assert details.complete
    assert said(details) == pytest.approx(CAMERA | RIGHTS | WHOLE)


@pytest.mark.parametrize("format", EVERY_FORMAT)
def test_nothing_is_told_but_what_was_to_be_kept(format: str) -> None:
    assert said(read(detailed(format), KeepMetadata.CREDITS)) == pytest.approx(CAMERA | RIGHTS)
    assert said(read(detailed(format), KeepMetadata.NOTHING)) == RIGHTS


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_is_read_in_every_width_and_order(order: str, big: bool) -> None:
    found = said(read(private_pictures.tiff(order, big=big)))
    assert found == {"camera": "Some Camera", "taken": "2024-05-06T07:08:09", "copyright": "(c) somebody"}


@pytest.mark.parametrize("format", ["gif", "tiff", *FORMATS])
def test_a_file_without_metadata_says_nothing(format: str) -> None:
    plain = pictures.saved(pictures.quarters(64, 48), FORMATS.get(format, format))
    assert read(plain) == Details()


# --- XMP, IPTC, PNG's texts, profiles -------------------------------------------------------------------------------

PACKET = xmp(
    '<D tiff:Make="NIKON CORPORATION" tiff:Model="NIKON Z 8" aux:Lens="NIKKOR Z 85mm f/1.2 S" exif:FNumber="12/10"'
    ' exif:ExposureTime="1/4000" exif:FocalLength="85/1" exif:DateTimeOriginal="2024-05-06T07:08:09.25Z">'
    "<exif:ISOSpeedRatings><rdf:Seq><rdf:li>64</rdf:li></rdf:Seq></exif:ISOSpeedRatings>"
    "<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></dc:creator>"
    "<dc:rights><rdf:Alt><rdf:li xml:lang='de'>(c) wir</rdf:li><rdf:li xml:lang='x-default'>(c) us</rdf:li></rdf:Alt>"
    "</dc:rights><dc:description>A bridge</dc:description></D>"
)
BY_XMP = {
    "camera": "NIKON Z 8",
    "lens": "NIKKOR Z 85mm f/1.2 S",
    "aperture": 1.2,
    "exposure_s": 1 / 4000,
    "focal_length_mm": 85.0,
    "iso": 64.0,
    "taken": "2024-05-06T07:08:09+00:00",
    "author": "Ada, Bob",
    "copyright": "(c) us",
    "caption": "A bridge",
}


def gif_with(packet: bytes) -> bytes:
    plain = pictures.animated("gif", frames=2, width=64, height=48)
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    return plain[:-1] + b"!\xff\x0bXMP DataXMP" + packet + trailer + plain[-1:]


def png_with_packed(packet: bytes) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode(), zip=True)
    return pictures.saved(pictures.quarters(64, 48), "png", pnginfo=info)


def png_with(chunks: dict[bytes, bytes]) -> bytes:
    plain = pictures.saved(pictures.quarters(64, 48), "png")
    return plain[:33] + b"".join(chunk(kind, data) for kind, data in chunks.items()) + plain[33:]


@pytest.mark.parametrize("format", ["gif", "png", "jpeg", "webp"])
def test_xmp_says_what_exif_does_not(format: str) -> None:
    if format == "gif":
        data = gif_with(PACKET)
    elif format == "png":
        data = png_with_packed(PACKET)
    else:
        data = pictures.saved(pictures.quarters(64, 48), format, xmp=PACKET)
    assert said(read(data)) == pytest.approx(BY_XMP)
    assert said(read(data, KeepMetadata.NOTHING)) == {"copyright": "(c) us"}
    assert "caption" not in said(read(data, KeepMetadata.CREDITS))


def test_exif_goes_before_xmp() -> None:
    both = pictures.saved(pictures.quarters(64, 48), "jpeg", exif=exif(), xmp=PACKET)
    assert said(read(both)) == pytest.approx(CAMERA | WHOLE | {"copyright": "© Ada Example"})


def test_iptc_of_photoshop_says_who_made_it() -> None:
    texts = {80: b"Ada", 116: b"\xa9 us", 120: "Übergang".encode()}
    data = b"".join(struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text for number, text in texts.items())
    resource = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(data)) + data + bytes(len(data) % 2)
    plain = pictures.photo(64, 48)
    jpeg = plain[:2] + segment(0xED, resource) + plain[2:]
    assert said(read(jpeg)) == {"author": "Ada", "copyright": "© us", "caption": "Übergang"}
    assert said(read(jpeg, KeepMetadata.NOTHING)) == {"copyright": "© us"}


def test_texts_of_a_png_count_last() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Ada", zip=True)
    info.add_text("Copyright", "© us")
    info.add_itxt("Description", "桥")
    png = pictures.saved(pictures.quarters(64, 48), "png", pnginfo=info)
    assert said(read(png)) == {"author": "Ada", "copyright": "© us", "caption": "桥"}
    assert said(read(png, KeepMetadata.CREDITS)) == {"author": "Ada", "copyright": "© us"}


def test_a_profile_is_named_in_english() -> None:
    names = {b"deDE": "Anzeige P3", b"enUS": "Display P3"}
    texts = [text.encode("utf-16-be") for text in names.values()]
    at, records = 16 + 12 * len(names), b""
    for language, text in zip(names, texts, strict=True):
        records += language + struct.pack(">II", len(text), at)
        at += len(text)
    tag = b"mluc" + bytes(4) + struct.pack(">II", len(names), 12) + records + b"".join(texts)
    profile = bytes(128) + struct.pack(">I4sII", 1, b"desc", 144, len(tag)) + tag
    assert told_by_profile(profile) == {"colour_profile": "Display P3"}


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON Z 8", "NIKON Z 8"),
        ("Apple", "iPhone 15 Pro", "Apple iPhone 15 Pro"),
        ("", "Model", "Model"),
        ("Maker", "", "Maker"),
    ],
)
def test_a_camera_is_named_once(make: str, model: str, camera: str) -> None:
    assert read(jpeg_with(exif({0x010F: make, 0x0110: model}))).camera == camera


# --- hostile ones ---------------------------------------------------------------------------------------------------


def test_texts_are_one_line_without_marks_that_nobody_sees() -> None:
    hostile = "\u202egpj\u202c\tA\r\n\x00bridge"
    assert clean_text(hostile) == "gpj A bridge"
    assert clean_text("\ud800\u200b\x07") is None
    assert clean_text("👩\u200d🚀") == "👩\u200d🚀"
    caption = read(jpeg_with(exif({0x010E: "\u202eA\x1b[31m\u2066 bridge".encode()}))).caption
    assert caption == "A[31m bridge"


@pytest.mark.parametrize("long", [LONG, "ä" * 30_000, "🚀" * 15_000, "\u200b" * 60_000 + "x"])
def test_a_text_is_cut_at_a_kilobyte(long: str) -> None:
    text = clean_text(long)
    assert text is None or len(text.encode()) <= MAX_TEXT_BYTES
    assert text is None or text.endswith("…")
    assert clean_text(text or "") == text
    packet = xmp(f'<D dc:description="{long}"/>')
    for data in (jpeg_with(exif({0x010E: long.encode()[:60_000]})), png_with_packed(packet)):
        caption = read(data).caption
        assert caption is None or len(caption.encode()) <= MAX_TEXT_BYTES


@pytest.mark.parametrize(
    "text",
    ["0000:00:00 00:00:00", "2024:13:01 00:00:00", "    :  :     :  :  ", "2024:05:06 25:00:00", "soon", "2" * 10**6],
)
def test_what_is_no_time_is_left_out(text: str) -> None:
    assert clean_time(text) is None


RATIONAL, SHORT, ASCII = 5, 3, 2
AT_END = struct.pack("<I", 8 + 2 + 12 * 2 + 4)
HOSTILE_EXIF = {
    "a directory that contains itself": raw_exif((0x8769, 4, 1, b"\x08\0\0\0"), (0x8825, 4, 1, b"\x08\0\0\0")),
    "a text of four gigabytes": raw_exif((0x010E, ASCII, 2**32 - 1, b"\x08\0\0\0"), (0x0110, ASCII, 2, b"A\0")),
    "a fraction of nothing": raw_exif((0x829D, RATIONAL, 1, AT_END), (0x0110, ASCII, 2, b"A\0"), behind=bytes(8)),
    "more entries than bytes": b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
    "a directory beyond the end": b"Exif\0\0II*\0\xff\xff\xff\xff",
    "numbers without end": raw_exif((0x8827, SHORT, 2**31, b"\0\0\0\0"), (0x920A, 12, 2**29, b"\0\0\0\0")),
    "no TIFF": b"Exif\0\0no",
}


@pytest.mark.parametrize("name", HOSTILE_EXIF)
def test_hostile_exif_says_little_and_harms_nothing(name: str) -> None:
    found = said(read(jpeg_with(HOSTILE_EXIF[name])))
    assert found.keys() <= {"camera", "caption"}


HOSTILE_XMP = {
    "entities": b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&b;</x:xmpmeta>',
    "depth": b"<a>" * 10_000,
    "half": PACKET[: len(PACKET) // 2],
    "no number": xmp('<D exif:FNumber="nan" exif:ExposureTime="1/0" exif:FocalLength="1e999"/>'),
    "no text": xmp('<D><tiff:Model rdf:parseType="Resource"><dc:rights>x</dc:rights></tiff:Model></D>'),
}


@pytest.mark.parametrize("name", HOSTILE_XMP)
def test_hostile_xmp_says_nothing(name: str) -> None:
    plain = pictures.photo(64, 48)
    data = plain[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + HOSTILE_XMP[name]) + plain[2:]
    assert said(read(data)) == {}


def test_what_unpacks_without_end_is_not_unpacked() -> None:
    bomb = zlib.compress(bytes(100_000_000), 9)
    names = {b"iCCP": b"icc\0\0", b"iTXt": b"XML:com.adobe.xmp\0\1\0\0\0", b"zTXt": b"Author\0\0"}
    assert said(read(png_with({kind: name + bomb for kind, name in names.items()}))) == {}


def test_a_block_that_is_too_long_is_not_read_and_that_is_said() -> None:
    png = png_with({b"eXIf": bytes(2_000_000), b"tEXt": b"Copyright\0\xa9 us"})
    assert read(png) == Details(copyright="© us", complete=False)


@pytest.mark.parametrize("format", [*EVERY_FORMAT, "gif"])
def test_a_damaged_file_never_raises(format: str) -> None:
    whole, chance = gif_with(PACKET) if format == "gif" else detailed(format), random.Random(format)
    for _ in range(300):
        data = bytearray(whole[: chance.randrange(1, len(whole) + 1)])
        for _ in range(chance.randrange(8)):
            data[chance.randrange(min(len(data), 4000))] = chance.randrange(256)
        try:
            read(bytes(data))
        except ApplianceError:
            continue
