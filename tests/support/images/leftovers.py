"""Pictures as phones and careless programs leave them: with a place, a text, or most of another picture left over."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.images import pictures, private_pictures
from tests.support.images.hidden_places import SECRET
from tests.support.images.png_writer import chunk
from tests.support.images.private_pictures import segment

_MARK = b"Exif\0\0"


@dataclass(frozen=True, slots=True)
class Leftover:
    """What is left over, as a picture that has it, and the same picture as it should be; `tag` is what exiftool finds.

    Exiftool says nothing of a JPEG's end unless it knows what follows, so there the tag is empty.
    """

    what: str
    ending: str
    tag: str
    make: Callable[[], bytes]
    clean: Callable[[], bytes]


def _jpeg() -> bytes:
    return pictures.saved(pictures.quarters(64, 48), "jpeg", quality=90)


def _png() -> bytes:
    return pictures.saved(pictures.quarters(64, 48), "png")


def _exif() -> bytes:
    """EXIF with a position, without its mark."""
    return private_pictures.exif().tobytes().removeprefix(_MARK)


def samsung_trailer() -> bytes:
    """Named entries, then a directory that tells how far before it each begins, as Samsung's phones write them."""
    entries = [
        (0x0A01, b"Image_UTC_Data", b"1718000000000"),
        (0x0D21, b"Location_Data", b"48.2083,16.3683 " + SECRET),
        (0x0A30, b"MotionPhoto_Data", private_pictures.motion_photo()[-400:]),
    ]
    blocks = [struct.pack("<HHI", 0, kind, len(name)) + name + data for kind, name, data in entries]
    left, directory = sum(map(len, blocks)), b"SEFH" + struct.pack("<II", 106, len(blocks))
    for (kind, _, _), block in zip(entries, blocks, strict=True):
        directory += struct.pack("<HHII", 0, kind, left, len(block))
        left -= len(block)
    return b"".join(blocks) + directory + struct.pack("<I", len(directory)) + b"SEFT"


def _written_over(small: bytes, large: bytes) -> bytes:
    """A cropped picture saved over a larger file that nobody cut, as in CVE-2023-21036."""
    assert len(small) < len(large)
    return small + large[len(small) :]


LEFTOVERS = [
    Leftover("the trailer of a Samsung phone", "jpg", "Samsung:", lambda: _jpeg() + samsung_trailer(), _jpeg),
    Leftover("EXIF behind the end", "png", "Trailer:GPS", lambda: _png() + chunk(b"eXIf", _exif()), _png),
    Leftover(
        "most of a larger picture",
        "png",
        "ExifTool:Warning",
        lambda: _written_over(_png(), pictures.saved(pictures.opened(pictures.photo(300, 200)), "png")),
        _png,
    ),
    Leftover("most of a larger picture", "jpg", "", lambda: _written_over(_jpeg(), pictures.photo(300, 200)), _jpeg),
]
MARKS = [b"EXIF\0\0", b"Exif\0\xff", b"exif\0\0"]
"""Marks of EXIF segments that are wrong, and read nevertheless by some programs."""


def with_mark(mark: bytes) -> bytes:
    """A JPEG whose only EXIF has a position, under this mark."""
    return _jpeg()[:2] + segment(0xE1, mark + _exif()) + _jpeg()[2:]
