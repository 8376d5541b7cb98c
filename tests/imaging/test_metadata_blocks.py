"""Blocks of metadata: what may stay of each, in the length that it had."""

import struct

import pytest
from PIL import Image

from appliance.domain.model import KeepMetadata
from appliance.imaging.metadata.exif import clean_exif
from appliance.imaging.metadata.icc import clean_icc
from appliance.imaging.metadata.iptc import clean_iptc
from appliance.imaging.metadata.photoshop import clean_resources
from appliance.imaging.metadata.rdf import Packet
from appliance.imaging.metadata.xmp import clean_xmp
from tests.support.images import pictures, private_pictures
from tests.support.metadata import xmp

# --- XMP ----------------------------------------------------------------------------------------------------------

XMP_FORMS = {
    "attributes": '<D rdf:about="" dc:rights="(c) me" exif:GPSLatitude="48,12.5N" photoshop:Credit="An Agency"/>',
    "elements": "<D><dc:rights><rdf:Alt><rdf:li xml:lang='x-default'>(c) me</rdf:li></rdf:Alt></dc:rights>"
    "<photoshop:Credit>An Agency</photoshop:Credit><exif:GPSLatitude>48,12.5N</exif:GPSLatitude></D>",
    "comments": '<D dc:rights="(c) me" photoshop:Credit="An Agency"><!-- 48,12.5N --></D>',
    "CDATA": "<D><dc:rights><![CDATA[(c) me]]></dc:rights><photoshop:Credit>An Agency</photoshop:Credit>48,12.5N</D>",
    "qualifiers": '<D photoshop:Credit="An Agency"><dc:rights rdf:parseType="Resource"><rdf:value>(c) me</rdf:value>'
    "<exif:GPSLatitude>48,12.5N</exif:GPSLatitude></dc:rights></D>",
    "no room": '<D dc:rights="(c) me" photoshop:Credit="An Agency" exif:A="48,12.5N"/>',
}


@pytest.mark.parametrize("form", XMP_FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_the_notice_and_the_credit_line_of_xmp_stay_and_nothing_else(form: str, encoding: str) -> None:
    before = xmp(XMP_FORMS[form]).decode().encode(encoding)
    after = clean_xmp(before, KeepMetadata.NOTHING)
    assert len(after) == len(before)
    assert clean_xmp(after, KeepMetadata.NOTHING) == after
    said = Packet(after.strip())
    assert not said.extra
    assert {name for _, name in said.properties} == {"rights", "Credit"}
    assert b"(c) me" in after
    assert b"48,12.5N" not in after


@pytest.mark.parametrize(
    "packet",
    [
        b"<r>no RDF</r>",
        xmp('<D exif:GPSLatitude="1"/>'),
        xmp('<D dc:rights="(c) me"/>')[:-30],
        b'<!DOCTYPE x [<!ENTITY e "48,12.5N">]>' + xmp('<D dc:rights="(c) me"/>', wrapped=False),
        xmp("<D>" + "<exif:A>" * 60 + "</exif:A>" * 60 + "</D>"),
        xmp(f'<D dc:rights="{"c" * 20_000}"/>'),
        xmp('<D dc:rights="&e;"/>'),
        b"\0" * 64,
        b"",
    ],
)
def test_xmp_of_which_nothing_may_stay_or_that_cant_be_read_becomes_blanks(packet: bytes) -> None:
    assert clean_xmp(packet, KeepMetadata.NOTHING) == b" " * len(packet)


def test_xmp_of_which_all_may_stay_is_left_alone() -> None:
    packet = xmp('<D rdf:about="" dc:rights="(c) me" hdrgm:Version="1.0"/>', wrapped=False)
    assert clean_xmp(packet, KeepMetadata.NOTHING) == packet


def test_what_a_gain_map_needs_stays_in_the_form_that_its_readers_know() -> None:
    items = "".join(
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="{semantic}" Item:Mime="{mime}"{length}/>'
        "</rdf:li>"
        for semantic, mime, length in (
            ("Primary", "image/jpeg", ""),
            ("GainMap", "image/jpeg", ' Item:Length="4711"'),
            ("MotionPhoto", "video/mp4", ' Item:Length="99999"'),
        )
    )
    gains = "<hdrgm:GainMapMax><rdf:Seq><rdf:li>1.0</rdf:li><rdf:li>2.5</rdf:li></rdf:Seq></hdrgm:GainMapMax>"
    before = xmp(
        f'<D hdrgm:Version="1.0" hdrgm:HDRCapacityMax="2.3" exif:GPSLatitude="1">{gains}<Container:Directory><rdf:Seq>'
        f"{items}</rdf:Seq></Container:Directory></D>"
    )
    after = clean_xmp(before, KeepMetadata.NOTHING)
    assert b'hdrgm:Version="1.0"' in after
    assert b"<rdf:Seq><rdf:li>1.0</rdf:li><rdf:li>2.5</rdf:li></rdf:Seq>" in after
    assert b'<Container:Item Item:Length="4711" Item:Mime="image/jpeg" Item:Semantic="GainMap"/>' in after
    assert b"video" not in after
    assert b"GPS" not in after


def test_a_panorama_keeps_its_projection_and_not_where_it_looked_to() -> None:
    before = xmp('<D GPano:ProjectionType="equirectangular" GPano:PoseHeadingDegrees="210"/>')
    after = clean_xmp(before, KeepMetadata.NOTHING)
    assert b"equirectangular" in after
    assert b"Heading" not in after


def test_credits_keep_the_makers_names_the_camera_and_the_dates_of_xmp() -> None:
    before = xmp(
        '<D xmp:CreateDate="2024-05-06" tiff:Model="Some Camera" exif:GPSLatitude="1" aux:SerialNumber="4711">'
        "<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li></rdf:Seq></dc:creator></D>"
    )
    names = {name for _, name in Packet(clean_xmp(before, KeepMetadata.CREDITS).strip()).properties}
    assert names == {"CreateDate", "Model", "creator"}
    assert clean_xmp(before, KeepMetadata.NOTHING).strip() == b""


def test_of_iptc_the_notice_and_the_credit_line_stay() -> None:
    data = private_pictures.iptc() + b"\x1c\x02\x50\0\3Ann\x1c\x02\x74\0\6(c) me"
    after = clean_iptc(data, KeepMetadata.NOTHING)
    assert after == (data[: data.index(b"\x1c\x02\x5a")] + data[-11:]).ljust(len(data), b"\0")
    assert b"Ann" in clean_iptc(data, KeepMetadata.CREDITS)
    assert clean_iptc(after, KeepMetadata.NOTHING) == after


def resource(kind: int, data: bytes) -> bytes:
    return b"8BIM" + struct.pack(">H", kind) + b"\0\0" + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)


def test_the_thumbnails_and_digests_of_photoshop_go() -> None:
    stay = [resource(1005, bytes(range(16))), resource(1034, b"\1"), resource(1035, b"https://licence.example")]
    go = [resource(1033, b"a thumbnail"), resource(1036, b"another"), resource(1061, bytes(16)), resource(4000, b"?")]
    before = b"".join(one for pair in zip(go, [*stay, private_pictures.resources()], strict=True) for one in pair)
    after = clean_resources(before, KeepMetadata.NOTHING)
    assert after.startswith(b"".join(stay) + b"8BIM\x04\x04")
    assert (b"thumbnail" in after, b"Wien" in after, private_pictures.KEPT[2] in after) == (False, False, True)
    assert len(after) == len(before)
    assert clean_resources(after, KeepMetadata.NOTHING) == after


def test_of_a_profile_the_displays_serial_number_goes_and_colours_stay() -> None:
    profile = pictures.opened(pictures.p3_jpeg()).info["icc_profile"]
    assert clean_icc(profile, KeepMetadata.NOTHING) == profile
    count = int.from_bytes(profile[128:132], "big")
    table, rest = profile[132 : 132 + 12 * count], profile[132 + 12 * count :]
    moved = b"".join(struct.pack(">4sII", name, at + 12, size) for name, at, size in struct.iter_unpack(">4sII", table))
    moved += struct.pack(">4sII", b"mmod", len(profile) + 12, 16)
    with_serial = profile[:128] + struct.pack(">I", count + 1) + moved + rest + b"mmod SERIAL-4711"
    after = clean_icc(with_serial, KeepMetadata.NOTHING)
    assert len(after) == len(with_serial)
    assert b"4711" not in after
    assert after[128:132] == profile[128:132]
    assert clean_icc(after, KeepMetadata.NOTHING) == after


# --- EXIF ---------------------------------------------------------------------------------------------------------


def test_an_exif_keeps_its_turn_and_its_notice_and_nothing_of_what_lies_behind() -> None:
    block = private_pictures.exif().tobytes() + b"hidden"
    after = clean_exif(block, KeepMetadata.NOTHING)
    assert len(after) == len(block)
    exif = Image.Exif()
    exif.load(after)
    assert dict(exif) == {0x0112: 6, 0x8298: "(c) somebody"}
    assert b"hidden" not in after
    assert clean_exif(after, KeepMetadata.NOTHING) == after


def test_a_thumbnail_in_exif_goes() -> None:
    after = clean_exif(private_pictures.exif_with_thumbnail(b"what was cropped away"), KeepMetadata.CREDITS)
    assert b"cropped" not in after
    assert b"Some Camera" in after


def test_an_exif_without_room_for_both_directories_keeps_the_turn() -> None:
    """Two entries that share their value, which both would need room for."""
    text = b"(c) " + b"x" * 60
    texts = [(tag, 2, 64, 74) for tag in (0x010F, 0x0110, 0x8298)]
    entries = [*texts[:2], (0x0112, 3, 1, 6), texts[2], (0xFDE8, 3, 1, 4711)]
    table = struct.pack("<H", 5) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    after = clean_exif((b"II*\0\x08\0\0\0" + table + text), KeepMetadata.CREDITS)
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + after)
    assert dict(exif) == {0x0112: 6}


def test_an_exif_of_which_nothing_may_stay_becomes_zeros() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0)})
    block = exif.tobytes()
    assert clean_exif(block, KeepMetadata.NOTHING) == bytes(len(block))
    assert clean_exif(b"Exif\0\0no TIFF", KeepMetadata.NOTHING) == bytes(13)
