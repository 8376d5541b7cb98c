"""Metadata of a PNG: the chunks around its pixels."""

import codecs
import zlib

from appliance.imaging.details.blocks import MAX_EXIF_BYTES, MAX_PROFILE_BYTES, MAX_XMP_BYTES, Blocks
from appliance.imaging.directories import Block, Unclear
from appliance.imaging.metadata.cleaning import Cleaning
from appliance.imaging.metadata.window import Window

_MAX_CHUNKS = 100_000
_MAX_TEXT_BYTES = 64 * 1024
_XMP = b"XML:com.adobe.xmp"
_LIMITS = {
    b"eXIf": MAX_EXIF_BYTES,
    b"iCCP": MAX_PROFILE_BYTES,
    b"iTXt": MAX_XMP_BYTES,
    b"tEXt": _MAX_TEXT_BYTES,
    b"zTXt": _MAX_TEXT_BYTES,
}
"""What is looked at, and how long it is at most."""


def find_in_png(file: Cleaning, blocks: Blocks) -> None:
    """Raises Unclear, OutOfTime."""
    window, at = Window(file), 8
    for _ in range(_MAX_CHUNKS):
        head = window.read(at, 8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or kind == b"IEND":
            return
        if kind in _LIMITS and length <= _LIMITS[kind]:
            _take(kind, file.read(at + 8, length), blocks)
        blocks.complete &= length <= _LIMITS.get(kind, length)
        at += 12 + length
    raise Unclear("more chunks than are looked at")


def _take(kind: bytes, data: bytes, blocks: Blocks) -> None:
    name, _, rest = data.partition(b"\0")
    match kind:
        case b"eXIf":
            blocks.exif = blocks.exif if blocks.exif.length else Block(data)
        case b"iCCP":
            blocks.profile = blocks.profile or _inflated(rest[1:], MAX_PROFILE_BYTES)
        case b"iTXt" if name == _XMP:
            blocks.xmp = blocks.xmp or _international(rest, MAX_XMP_BYTES)
        case b"iTXt":
            _say(blocks, name, codecs.utf_8_decode(_international(rest, _MAX_TEXT_BYTES), "replace")[0])
        case b"tEXt":
            _say(blocks, name, codecs.latin_1_decode(rest)[0])
        case b"zTXt":
            _say(blocks, name, codecs.latin_1_decode(_inflated(rest[1:], _MAX_TEXT_BYTES))[0])


def _say(blocks: Blocks, name: bytes, text: str) -> None:
    blocks.texts.setdefault(codecs.latin_1_decode(name)[0], text)


def _international(data: bytes, max_bytes: int) -> bytes:
    """The text behind the language and the translated keyword of an iTXt chunk."""
    _, _, texts = data[2:].partition(b"\0")
    _, _, text = texts.partition(b"\0")
    return _inflated(text, max_bytes) if data[:1] == b"\1" else text


def _inflated(data: bytes, max_bytes: int) -> bytes:
    """As much of it as that; nothing where it isn't compressed."""
    try:
        return zlib.decompressobj().decompress(data, max_bytes)
    except zlib.error:
        return b""
