"""Every place in which a picture can carry more than a picture, each with the same secret in it."""

import functools
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import pyvips
from PIL import Image

from tests.support.images import heif_writer, pictures
from tests.support.images.heif_writer import Item
from tests.support.images.png_writer import chunk
from tests.support.images.private_pictures import box, segment

SECRET = b"HIDDEN-4711"
_TEXT = b"Olga was here: " + SECRET
_XMP_HEAD, _XMP_TAIL = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">', b"</x:xmpmeta>"
_XMP = (
    _XMP_HEAD + b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:ImageUniqueID="' + SECRET + b'"/></rdf:RDF>' + _XMP_TAIL
)
_CREDENTIALS = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something hides, and how a picture with it there is made. `signed`: in content credentials."""

    where: str
    ending: str
    make: Callable[[], bytes]
    signed: bool = False


# --- JPEG ---------------------------------------------------------------------------------------------------------


@functools.cache
def _jpeg() -> bytes:
    return pictures.saved(pictures.quarters(64, 48), "jpeg", quality=90)


@functools.cache
def _progressive() -> bytes:
    return pictures.saved(pictures.quarters(64, 48), "jpeg", quality=90, progressive=True)


def in_header(*parts: bytes) -> bytes:
    """A JPEG with these segments behind its JFIF header."""
    return _jpeg()[:20] + b"".join(parts) + _jpeg()[20:]


def between_scans(part: bytes) -> bytes:
    at = _progressive().index(b"\xff\xda", _progressive().index(b"\xff\xda") + 2)
    return _progressive()[:at] + part + _progressive()[at:]


def _jfif_thumbnail() -> bytes:
    pixels = _TEXT.ljust(16 * 16 * 3, b"\x80")
    return _jpeg()[:2] + segment(0xE0, _jpeg()[6:18] + b"\x10\x10" + pixels) + _jpeg()[20:]


def _multi_picture() -> bytes:
    """With a preview behind the picture, as cameras write it."""
    preview = pictures.saved(pictures.quarters(32, 24), "jpeg", comment=_TEXT)
    return _with_other(preview)


def _with_other(other: bytes) -> bytes:
    """A second picture behind the first, which MPF tells of."""
    picture = in_header(_mpf(0, 0, 0))
    return in_header(_mpf(len(picture), len(picture) - (20 + 8), len(other))) + other


def _mpf(size: int, offset: int, other_size: int) -> bytes:
    entries = struct.pack(">IIIHHIIIHH", 0x030000, size, 0, 0, 0, 0x010001, other_size, offset, 0, 0)
    tags = struct.pack(">HHI4sHHIIHHII", 0xB000, 7, 4, b"0100", 0xB001, 4, 1, 2, 0xB002, 7, len(entries), 50)
    return segment(0xE2, b"MPF\0MM\0*\0\0\0\x08\0\x03" + tags + bytes(4) + entries)


@functools.cache
def ultra_hdr() -> bytes:
    """A JPEG with a gain map behind it, as libultrahdr writes it."""
    bright = pyvips.Image.new_from_buffer(pictures.photo(64, 48), "").sRGB2scRGB() * 2
    return bytes(bright.uhdrsave_buffer())


def _gain_map_with_comment() -> bytes:
    hdr = ultra_hdr()
    at = hdr.index(b"\xff\xd8\xff", 2) + 2
    return hdr[:at] + segment(0xFE, _TEXT) + hdr[at:]


def _motion() -> bytes:
    return _jpeg() + box(b"ftyp", b"mp42\0\0\0\0mp42") + box(b"mdat", _TEXT) + box(b"moov", b"")


_JPEGS = {
    "numbers of lines": lambda: in_header(segment(0xDC, _TEXT)),
    "a number of lines behind the picture": lambda: _jpeg()[:-2] + segment(0xDC, _TEXT) + _jpeg()[-2:],
    "a comment": lambda: in_header(segment(0xFE, _TEXT)),
    "a comment between scans": lambda: between_scans(segment(0xFE, _TEXT)),
    "an unknown segment": lambda: in_header(segment(0xE5, _TEXT)),
    "bytes between segments": lambda: in_header(_TEXT),
    "the thumbnail of JFIF": _jfif_thumbnail,
    "the thumbnail of JFXX": lambda: in_header(segment(0xE0, b"JFXX\0\x10" + _multi_picture()[-800:])),
    "EXIF under a wrong mark": lambda: in_header(segment(0xE1, b"EXIF\0\0" + _exif(270, _TEXT))),
    "a second EXIF": lambda: in_header(
        segment(0xE1, b"Exif\0\0" + _exif(0x010F, b"Cam")), segment(0xE1, b"Exif\0\0" + _exif(270, _TEXT))
    ),
    "extended XMP": lambda: in_header(
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">II", len(_XMP), 0) + _XMP)
    ),
    "FlashPix": lambda: in_header(segment(0xE2, b"FPXR\0\0\2\0\0\0\0\0\0" + _TEXT)),
    "a broken profile": lambda: in_header(segment(0xE2, b"ICC_PROFILE\0\2\3" + _TEXT)),
    "a preview behind the picture": _multi_picture,
    "the video of a motion photo": _motion,
    "Samsung's trailer": lambda: _jpeg() + b"\0\0\x01\x0a" + _TEXT + b"SEFH\x6b\0\0\0SEFT",
    "any file behind the picture": lambda: _jpeg() + b"PK\3\4" + _TEXT,
    "a comment in its gain map": _gain_map_with_comment,
    "behind its gain map": lambda: ultra_hdr() + _TEXT,
}


def _exif(tag: int, text: bytes) -> bytes:
    exif = Image.Exif()
    exif[tag] = text.decode()
    return exif.tobytes()[6:]


# --- PNG ----------------------------------------------------------------------------------------------------------


@functools.cache
def _png() -> bytes:
    return pictures.saved(pictures.quarters(64, 48), "png")


def with_chunks(*parts: bytes) -> bytes:
    """A PNG with these chunks before its pixels."""
    return _png()[:33] + b"".join(parts) + _png()[33:]


def _profile() -> bytes:
    return bytes(pictures.opened(pictures.p3_jpeg()).info["icc_profile"])


_PNGS = {
    "a histogram of no palette": lambda: with_chunks(chunk(b"hIST", _TEXT + bytes(len(_TEXT) % 2))),
    "plain text": lambda: with_chunks(chunk(b"tEXt", b"Comment\0" + _TEXT)),
    "compressed text": lambda: with_chunks(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(_TEXT))),
    "international text": lambda: with_chunks(chunk(b"iTXt", b"Title\0\0\0en\0Titel\0" + _TEXT)),
    "compressed XMP": lambda: with_chunks(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(_XMP))),
    "a profile in text": lambda: with_chunks(
        chunk(b"tEXt", b"Raw profile type iptc\0\niptc\n 11\n" + SECRET.hex().encode())
    ),
    "a chunk of its own": lambda: with_chunks(chunk(b"prVt", _TEXT)),
    "a second gamma": lambda: with_chunks(chunk(b"gAMA", b"\0\0\xb1\x8f"), chunk(b"gAMA", _TEXT)),
    "a gamma of many bytes": lambda: with_chunks(chunk(b"gAMA", _TEXT)),
    "the name of its profile": lambda: with_chunks(chunk(b"iCCP", SECRET + b"\0\0" + zlib.compress(_profile()))),
    "behind its profile": lambda: with_chunks(chunk(b"iCCP", b"icc\0\0" + zlib.compress(_profile()) + _TEXT)),
    "behind the last chunk": lambda: _png() + _png()[-40:] + _TEXT,
}


# --- GIF ----------------------------------------------------------------------------------------------------------


@functools.cache
def _gif() -> bytes:
    return pictures.animated("gif", frames=3, width=64, height=48)


def between_frames(part: bytes) -> bytes:
    at = _gif().index(b"!\xf9", _gif().index(b"!\xf9") + 2)
    return _gif()[:at] + part + _gif()[at:]


def sub_blocks(data: bytes) -> bytes:
    return (
        b"".join(bytes((len(part),)) + part for part in (data[at : at + 255] for at in range(0, len(data), 255)))
        + b"\0"
    )


_GIFS = {
    "a comment": lambda: between_frames(b"!\xfe" + sub_blocks(_TEXT)),
    "a long comment": lambda: between_frames(b"!\xfe" + sub_blocks(_TEXT * 40)),
    "plain text": lambda: between_frames(b"!\x01" + sub_blocks(bytes(12))[:-1] + sub_blocks(_TEXT)),
    "an application's block": lambda: between_frames(b"!\xff\x0bMGK8BIM0000" + sub_blocks(_TEXT)),
    "a block of no kind": lambda: between_frames(b"!\x42" + sub_blocks(_TEXT)),
    "behind the trailer": lambda: _gif() + _TEXT,
}


# --- WebP ---------------------------------------------------------------------------------------------------------


def riff(*parts: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + sum(map(len, parts))) + b"WEBP" + b"".join(parts)


def riff_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def webp(*parts: bytes) -> bytes:
    plain = pictures.saved(pictures.quarters(64, 48), "webp", exif=_exif(0x010F, b"Cam"), lossless=True)
    pixels = plain.index(b"VP8L")
    end = pixels + 8 + struct.unpack("<I", plain[pixels + 4 : pixels + 8])[0]
    return riff(riff_chunk(b"VP8X", b"\0" * 4 + b"\x3f\0\0\x2f\0\0"), plain[pixels : end + end % 2], *parts)


def _in_frame() -> bytes:
    moving = pictures.animated("webp", frames=3, width=64, height=48)
    at = moving.index(b"ANMF")
    length = struct.unpack("<I", moving[at + 4 : at + 8])[0]
    frame = riff_chunk(b"ANMF", moving[at + 8 : at + 8 + length] + riff_chunk(b"prVt", _TEXT))
    return riff(moving[12:at], frame, moving[at + 8 + length :])


_WEBPS = {
    "a chunk of its own": lambda: webp(riff_chunk(b"prVt", _TEXT)),
    "a second EXIF": lambda: webp(riff_chunk(b"EXIF", _exif(0x010F, b"Cam")), riff_chunk(b"EXIF", _exif(270, _TEXT))),
    "a chunk in a frame": _in_frame,
    "behind the end": lambda: webp() + _TEXT,
}


# --- AVIF and HEIC ------------------------------------------------------------------------------------------------


@functools.cache
def _coded() -> heif_writer.Coded:
    return heif_writer.coded()


def avif(*more: Item, **options: bytes) -> bytes:
    return heif_writer.avif([Item(b"av01", _coded().data, _coded().properties), *more], **options)


def _thumbnail() -> Item:
    small = heif_writer.coded(32, 24)
    return Item(b"av01", small.data + _TEXT, small.properties, (b"thmb", 1))


def _depth() -> Item:
    depth = heif_writer.auxiliary(b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth")
    return Item(b"av01", _coded().data + _TEXT, [*_coded().properties, depth], (b"auxl", 1))


def gain_map() -> Item:
    """A gain map as Apple has it."""
    kind = heif_writer.auxiliary(b"urn:com:apple:photo:2020:aux:hdrgainmap")
    return Item(b"av01", _coded().data, [*_coded().properties, kind], (b"auxl", 1))


def _described() -> bytes:
    words = heif_writer.full_box(b"udes", b"en\0" + _TEXT + b"\0\0\0")
    return heif_writer.avif([Item(b"av01", _coded().data, [*_coded().properties, words])])


_AVIFS = {
    "its thumbnail": lambda: avif(_thumbnail()),
    "a depth map": lambda: avif(_depth()),
    "beside a gain map": lambda: avif(gain_map(), unreferenced=_TEXT),
    "an item of text": lambda: avif(Item(b"mime", _TEXT, (), (b"cdsc", 1), content=b"text/plain")),
    "an item by address": lambda: avif(Item(b"uri ", _TEXT, (), (b"cdsc", 1))),
    "the name of an item": lambda: heif_writer.avif([Item(b"av01", _coded().data, _coded().properties, name=SECRET)]),
    "a description": _described,
    "a box of its own in meta": lambda: avif(more_meta=box(b"prVt", _TEXT)),
    "media data that nothing points to": lambda: avif(unreferenced=_TEXT),
    "a free box": lambda: avif(after=box(b"free", _TEXT) + box(b"mdat", b"")),
    "the video of a motion photo": lambda: avif(after=box(b"mpvd", box(b"mdat", _TEXT))),
    "a movie that is no sequence": lambda: avif(
        after=box(b"moov", box(b"mvhd", bytes(100)) + box(b"udta", box(b"\xa9xyz", _TEXT))) + box(b"mdat", b"")
    ),
    "behind the last box": lambda: avif(after=b"\0\0\0\1" + _TEXT),
}

_SIGNED = [
    Place(
        "content credentials", "jpg", lambda: in_header(segment(0xEB, b"JP\0\1\0\0\0\1\0\0\0\x64jumb" + _TEXT)), True
    ),
    Place("content credentials", "png", lambda: with_chunks(chunk(b"caBX", b"\0\0\0\x20jumb" + _TEXT)), True),
    Place("content credentials", "webp", lambda: webp(riff_chunk(b"C2PA", _TEXT)), True),
    Place("content credentials", "avif", lambda: avif(after=box(b"uuid", _CREDENTIALS + _TEXT)), True),
]

_MADE = {"jpg": _JPEGS, "png": _PNGS, "gif": _GIFS, "webp": _WEBPS, "avif": _AVIFS}
PLACES = [Place(where, ending, make) for ending, made in _MADE.items() for where, make in made.items()] + _SIGNED
"""All of them, but for what EXIF, XMP, IPTC and Photoshop's resources hold."""
